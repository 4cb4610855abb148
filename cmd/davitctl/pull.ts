// davitctl pull: fetches images.

import type { AuthConfigInit } from '../../api/cri/generated/types.ts';
import { define, type Invocation } from './define.ts';
import { UsageError } from './explain.ts';
import { toJson } from './format.ts';
import { watchPull } from './watch-pull.ts';

const OPTIONS = {
  username: { type: 'string', short: 'u', value: 'NAME', about: 'log in to the registry with this name' },
  'password-stdin': { type: 'boolean', about: 'and with the password that standard input has' },
} as const;

export const pull = define({
  name: 'pull',
  summary: 'fetch images from their registries',
  synopsis: '[OPTIONS] IMAGE...',
  options: OPTIONS,
  examples: [
    ['pull docker.io/library/busybox:1.36', 'an image by its tag'],
    ['pull registry.example.com/app@sha256:…', 'an image by its digest: always the same one'],
    ['pull -u me --password-stdin registry.example.com/app < token', 'a private image'],
  ],
  completes: 'images',
  args: { min: 1, max: Infinity },
  run: pullImages,
});

async function pullImages(invocation: Invocation<typeof OPTIONS>): Promise<number> {
  const { cri, io, json, args } = invocation;
  const auth = await readAuth(invocation);
  const pulled: { image: string; imageRef: string }[] = [];
  for (const image of args) {
    const pulling = cri.pullImage({ image: { image }, auth }, { signal: io.signal });
    const { imageRef } = await watchPull(invocation, image, pulling);
    pulled.push({ image, imageRef });
    if (!json) io.out(`${image}  ${imageRef}`);
  }
  if (json) io.out(toJson(pulled));
  return 0;
}

/** The password comes through standard input alone: arguments can be read by every user of the machine. */
async function readAuth({ io, values }: Invocation<typeof OPTIONS>): Promise<AuthConfigInit | undefined> {
  const { username } = values;
  if ((username === undefined) !== (values['password-stdin'] !== true)) {
    throw new UsageError('--username and --password-stdin go together');
  }
  if (username === undefined) return undefined;
  return { username, password: (await io.readInput()).replace(/\r?\n$/, '') };
}
