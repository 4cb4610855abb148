// Plugins for tests: shell scripts in a directory of their own that note how they are called and answer as
// they are told.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FakeAnswer {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  readonly hangs?: true;
}

export interface NotedCall {
  /** `ADD bridge` */
  readonly what: string;
  readonly config: unknown;
  readonly env: Readonly<Record<string, string>>;
}

/** Answers with `<type>.<command>.out`, `.err` and `.exit` beside it, or hangs if there is `.hang`. */
const SCRIPT = `#!/bin/sh
dir=\${0%/*}
type=\${0##*/}
number=$(ls "$dir/calls" | wc -l) || exit 1
until mkdir "$dir/calls/$number"; do [ -d "$dir/calls" ] || exit 1; number=$((number + 1)); done 2>/dev/null
call="$dir/calls/$number"
cat > "$call/config"
env > "$call/env"
echo "$CNI_COMMAND $type" > "$call/what"
answer="$dir/answers/$type.$CNI_COMMAND"
[ -e "$answer.hang" ] && exec sleep 60
[ -e "$answer.err" ] && cat "$answer.err" >&2
[ -e "$answer.out" ] && cat "$answer.out"
[ -e "$answer.exit" ] && exit "$(cat "$answer.exit")"
exit 0
`;

export class FakePlugins implements AsyncDisposable {
  /** Give it as plugin directory. */
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async create(...types: string[]): Promise<FakePlugins> {
    const dir = await mkdtemp(join(tmpdir(), 'davit-test-plugins-'));
    await mkdir(join(dir, 'calls'));
    await mkdir(join(dir, 'answers'));
    for (const type of types) await writeFile(join(dir, type), SCRIPT, { mode: 0o755 });
    return new FakePlugins(dir);
  }

  /** Replaces the former answer. */
  async answer(what: string, { stdout, stderr, exitCode, hangs }: FakeAnswer): Promise<void> {
    const [command, type] = what.split(' ');
    const file = join(this.dir, 'answers', `${String(type)}.${String(command)}`);
    const parts = { out: stdout, err: stderr, exit: exitCode?.toString(), hang: hangs && '' };
    for (const [ending, text] of Object.entries(parts)) {
      if (text === undefined) await rm(`${file}.${ending}`, { force: true });
      else await writeFile(`${file}.${ending}`, text);
    }
  }

  /** In their order. */
  async calls(): Promise<NotedCall[]> {
    const names = await readdir(join(this.dir, 'calls'));
    const numbers = names.map(Number).sort((a, b) => a - b);
    return await Promise.all(numbers.map((number) => this.#read(join(this.dir, 'calls', String(number)))));
  }

  async #read(dir: string): Promise<NotedCall> {
    const env = await readFile(join(dir, 'env'), 'utf8');
    const pairs = env
      .split('\n')
      .filter((line) => line.startsWith('CNI_'))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
    return {
      what: (await readFile(join(dir, 'what'), 'utf8')).trim(),
      config: JSON.parse(await readFile(join(dir, 'config'), 'utf8')) as unknown,
      env: Object.fromEntries(pairs),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }
}
