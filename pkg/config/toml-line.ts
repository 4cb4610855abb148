// Finds the line of a TOML text where an option stands, for messages that an editor can jump to.

/**
 * Looks at tables and keys as they are commonly written (`[a.b]`, `key =`, `a.b =`), which is enough to
 * point at a mistake.
 *
 * @param path `['cni', 'conf_dir']`
 * @returns counted from 1; the line of the nearest table if the key itself is not found
 */
export function lineOf(text: string, path: readonly string[]): number {
  let table: string[] = [];
  let best = { depth: -1, line: 1 };
  text.split('\n').forEach((content, index) => {
    const header = /^\s*\[+\s*([^\]]+?)\s*\]/.exec(content)?.[1];
    const key = /^\s*([\w.\-"']+)\s*=/.exec(content)?.[1];
    if (header !== undefined) table = keysOf(header);
    const here = header !== undefined ? table : key === undefined ? undefined : [...table, ...keysOf(key)];
    if (!here?.every((name, at) => name === path[at])) return;
    if (here.length > best.depth) best = { depth: here.length, line: index + 1 };
  });
  return best.line;
}

function keysOf(dotted: string): string[] {
  return dotted.split('.').map((key) => key.trim().replaceAll(/^["']|["']$/g, ''));
}
