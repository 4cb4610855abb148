// Where the threads' programs are: beside this file as source, beside the bundle as bundles of their own.

/** For `new Worker()`. */
export const unpackWorkerUrl = (): URL => urlOf('unpack-worker');

/** For `new Worker()`. */
export const verifyWorkerUrl = (): URL => urlOf('verify-worker');

function urlOf(name: string): URL {
  return new URL(`./${name}.${import.meta.url.endsWith('.ts') ? 'ts' : 'mjs'}`, import.meta.url);
}
