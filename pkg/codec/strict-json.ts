// JSON in which no object names a key twice. `JSON.parse()` takes the last of them in silence, which is no way to
// read what decides about trust.

import { Fault, type FaultCode } from '../base/fault.ts';

/** Strings, and what gives them their meaning; in valid JSON nothing else matters here. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * @param what names the input in the error: `policy "/etc/davit/policy.json"`
 * @throws {Fault} `code` — it is no JSON, or an object has a key twice
 */
export function parseStrictJson(text: string, what: string, code: FaultCode): unknown {
  const value = parse(text, what, code);
  const twice = findKeyTwice(text);
  if (twice === undefined) return value;
  throw new Fault(code, `cannot read ${what}: the key ${JSON.stringify(twice)} is there twice in one object`);
}

function parse(text: string, what: string, code: FaultCode): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault(code, `cannot read ${what}: it is no JSON: ${why}`, { cause });
  }
}

/** @param text valid JSON */
function findKeyTwice(text: string): string | undefined {
  const open: Set<string>[] = [];
  let last = '';
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const key = JSON.parse(last) as string; // before a colon stands a key
      const keys = open.at(-1);
      if (keys?.has(key) === true) return key;
      keys?.add(key);
    }
    last = token;
  }
  return undefined;
}
