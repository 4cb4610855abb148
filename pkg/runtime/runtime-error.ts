// What an OCI runtime says when it refuses: the one sentence that matters, and whose fault it is.

import { Fault, type FaultCode } from '../base/fault.ts';

/** An error message is a hint for people, not a report: longer ones are cut. */
const MAX_MESSAGE_LENGTH = 1000;

/**
 * The last error in what a runtime wrote to its standard error.
 *
 * runc: `time="…" level=error msg="runc create failed: …: exec: \"x\": executable file not found in $PATH"`;
 * crun: `2026-…: executable file …` or the same without a time.
 *
 * @returns '' if it wrote nothing
 */
export function parseRuntimeError(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const last = lines.findLast((line) => /\blevel=(error|fatal)\b/.test(line)) ?? lines.at(-1) ?? '';
  const quoted = /\bmsg="((?:[^"\\]|\\.)*)"/.exec(last)?.[1];
  const message = quoted === undefined ? last : unquote(quoted);
  return withoutPreamble(message).slice(0, MAX_MESSAGE_LENGTH);
}

/** Go's quoting is that of JSON but for a few escapes that errors do not have. */
function unquote(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}

/** What runc puts before every error of a start, and crun before every line. */
const PREAMBLES = [
  /^\d{4}-\d\d-\d\dT[\d:.]+Z: /,
  /^(runc (create|run|start) failed|exec failed): /,
  /^unable to start container process: /,
];

function withoutPreamble(message: string): string {
  return PREAMBLES.reduce((rest, preamble) => rest.replace(preamble, ''), message);
}

/** What is wrong with the command that was asked for, rather than with the node. */
const BAD_COMMAND =
  /executable file.* not found|no such file or directory|: not a directory|permission denied|is a directory|exec format error/i;

/** @param what could not be done: `create container "4f1c"` */
export function runtimeFault(what: string, stderr: string, end: string): Fault {
  const message = parseRuntimeError(stderr);
  return new Fault(codeOf(message), `cannot ${what}: ${message === '' ? end : message}`);
}

function codeOf(message: string): FaultCode {
  if (/\bexec\b|executable|chdir|cwd/.test(message) && BAD_COMMAND.test(message)) return 'invalid_argument';
  return /no space left on device|disk quota exceeded/i.test(message) ? 'resource_exhausted' : 'internal';
}
