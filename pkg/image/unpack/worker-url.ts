// Where the unpacking thread's program is: beside this file as source, beside the bundle as a second bundle.

/** For `new Worker()`. */
export function unpackWorkerUrl(): URL {
  const name = import.meta.url.endsWith('.ts') ? './unpack-worker.ts' : './unpack-worker.mjs';
  return new URL(name, import.meta.url);
}
