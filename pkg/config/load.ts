// Reads the configuration: one TOML file, and the drop-ins of the folder beside it, later ones winning.

import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import type * as z from 'zod';
import { decode } from '../codec/decode.ts';
import { Fault } from '../base/fault.ts';
import { configSchema, type Config } from './config.ts';
import { lineOf } from './toml-line.ts';

interface Source {
  readonly file: string;
  readonly text: string;
}

type Table = Record<string, unknown>;

/**
 * @param file the main file; its drop-ins are `<file>.d/*.toml`, in the order of their names
 * @throws {Fault} not_found — no such file; invalid_argument — every mistake, with file and line
 */
export async function loadConfig(file: string): Promise<Config> {
  return parseConfig([await read(file), ...(await dropIns(`${file}.d`))]);
}

/** @throws {Fault} invalid_argument — every mistake, with file and line */
export function parseConfig(sources: readonly Source[]): Config {
  const tables = sources.map(({ file, text }) => ({ file, text, table: parseToml(file, text) }));
  const problems = tables.flatMap(({ file, text, table }) => mistakes(file, text, table));
  if (problems.length > 0) {
    throw new Fault('invalid_argument', `cannot use the configuration:\n  ${problems.join('\n  ')}`);
  }
  const merged = tables.reduce<Table>((into, { table }) => merge(into, table), {});
  const config = decode(configSchema, merged, 'the configuration');
  if (config.runtime.handlers[config.runtime.default_handler] === undefined) {
    const { default_handler } = config.runtime;
    throw new Fault(
      'invalid_argument',
      `cannot use the configuration:\n  runtime.default_handler: there is no handler "${default_handler}"`,
    );
  }
  return config;
}

/** Each file is checked alone, so that a mistake is shown where it was made. */
function mistakes(file: string, text: string, table: Table): string[] {
  const result = configSchema.safeParse(table);
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => {
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys : undefined;
    const paths = unknown?.map((key) => [...issue.path, key]) ?? [issue.path];
    return paths.map((path) => {
      const keys = path.map(String);
      const problem = unknown === undefined ? messageOf(issue) : 'is not a known option';
      return `${file}:${lineOf(text, keys)}: ${keys.join('.')}: ${problem}`;
    });
  });
}

/** The message of a bad key of a record stands one level deeper. */
function messageOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
}

function merge(into: Table, from: Table): Table {
  const result = { ...into };
  for (const [key, value] of Object.entries(from)) {
    const old = result[key];
    result[key] = isTable(old) && isTable(value) ? merge(old, value) : value;
  }
  return result;
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseToml(file: string, text: string): Table {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const problem = cause.message.split('\n')[0] ?? '';
    throw new Fault('invalid_argument', `cannot read ${basename(file)}: ${file}:${cause.line}: ${problem}`, {
      cause,
    });
  }
}

async function read(file: string): Promise<Source> {
  try {
    return { file, text: await readFile(file, 'utf8') };
  } catch (cause) {
    throw new Fault('not_found', `cannot read the configuration file "${file}"`, { cause });
  }
}

async function dropIns(dir: string): Promise<Source[]> {
  const names = await readdir(dir).catch(() => []);
  const files = names.filter((name) => name.endsWith('.toml')).sort();
  return await Promise.all(files.map((name) => read(join(dir, name))));
}
