// Documents name no file, link or function that is gone.

import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** Decisions tell what was at their time. */
const DOCUMENTS = globSync(['*.md', 'docs/*.md']);
const FILES = globSync([
  '*.{js,json,md,ts}',
  '.dependency-cruiser.cjs',
  '{api,bin,cmd,deploy,docs,hack,pkg,test}/**/*',
]);
const SOURCE = FILES.filter((path) => /\.(ts|proto)$/.test(path))
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n');

/** What stands between backticks, outside of blocks. */
function codeOf(text: string): string[] {
  return [...text.replaceAll(/```[^]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

const isFile = (code: string): boolean => /^([\w.-]+\/)*[\w.-]+\.(ts|md|cjs|proto)$/.test(code);
const isInTree = (code: string): boolean => /^(api|bin|cmd|deploy|docs|hack|pkg|test)\/[\w./-]+$/.test(code);
const isCall = (code: string): boolean => /^[\w.]+\(\)$/.test(code);

/** Whole, or the end of a path: documents leave out `pkg/`, or the folder that they are about. */
function fileExists(name: string): boolean {
  return FILES.some((path) => path === name || path.endsWith(`/${name}`));
}

function functionExists(call: string): boolean {
  const name = call.slice(0, -2).split('.').at(-1);
  return new RegExp(`\\b${name}\\b`).test(SOURCE);
}

test.each(DOCUMENTS)('%s names what is there', (document) => {
  const text = readFileSync(document, 'utf8');
  const code = document === 'docs/style.md' ? [] : codeOf(text); // that one is about names that are not there, too
  const links = [...text.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link);
  expect({
    files: code.filter((each) => isFile(each) && !fileExists(each)),
    places: code.filter((each) => isInTree(each) && !existsSync(each)),
    functions: code.filter((each) => isCall(each) && !functionExists(each)),
    links: links.filter((link) => !existsSync(join(dirname(document), link))),
  }).toEqual({ files: [], places: [], functions: [], links: [] });
});
