// A tool that does what it should until it is told to misbehave: a script in its place, which reads what to do from
// a file beside it.

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What can go wrong with a tool, as the end of a shell script. */
const MISBEHAVIOUR = {
  hangs: 'DAVIT_TEST_TOOL=$0 exec sleep 1000', // to be found if it is left
  'is killed': 'kill -KILL $$',
  crashes: "echo 'panic: index out of range' >&2; exit 2",
  // descriptor 3 is conmon's to answer by; others have none
  'prints rubbish': 'for fd in 1 2 3; do (head -c 20000 /dev/urandom >&$fd) 2>/dev/null; done; exit 1',
  'does nothing': 'exit 0',
} as const;

export type Misbehaviour = keyof typeof MISBEHAVIOUR | 'is missing';

export class BadTool {
  readonly path: string;

  /**
   * @param dir for its files; made if missing
   * @param real the tool that it stands for
   */
  constructor(dir: string, real: string) {
    mkdirSync(dir, { recursive: true });
    this.path = join(dir, 'tool');
    const cases = Object.entries(MISBEHAVIOUR).map(([how, script]) => `'${how}') ${script} ;;`);
    const lines = [
      '#!/bin/sh',
      `if [ -e ${this.path}.when ]; then`,
      `read -r when < ${this.path}.when`,
      `read -r how < ${this.path}.how`,
      'for arg; do case " $when " in *" $arg "*)',
      `case $how in ${cases.join('\n')} esac ;;`,
      'esac; done; fi',
      `exec ${real} "$@"`,
    ];
    writeFileSync(this.path, `${lines.join('\n')}\n`, { mode: 0o755 });
  }

  /** Until it is disposed. @param when only if one of these is an argument: `create`, `--exec` */
  misbehave(when: readonly string[], how: Misbehaviour): Disposable {
    const away = `${this.path}.away`;
    if (how === 'is missing') {
      renameSync(this.path, away);
      return {
        [Symbol.dispose]: () => {
          renameSync(away, this.path);
        },
      };
    }
    writeFileSync(`${this.path}.how`, `${how}\n`);
    writeFileSync(`${this.path}.when`, `${when.join(' ')}\n`);
    return {
      [Symbol.dispose]: () => {
        rmSync(`${this.path}.when`);
      },
    };
  }
}
