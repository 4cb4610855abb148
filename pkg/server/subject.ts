// What a request is about, in a few words for the operator. Nothing of it is believed, and no secret is in it.

/** Longer than an id and than most names. */
const MAX_LENGTH = 128;

/** @returns an id, `namespace/name` of a pod, a container's name or an image; '' if the request names none */
export function subjectOf(request: unknown): string {
  const text =
    textAt(request, 'containerId') ??
    containerOf(request) ??
    textAt(request, 'podSandboxId') ??
    podOf(request) ??
    textAt(request, 'image', 'image') ??
    '';
  return text.slice(0, MAX_LENGTH).toWellFormed();
}

/** CreateContainer names the pod by its id, and the container by the name that it is to have. */
function containerOf(request: unknown): string | undefined {
  const pod = textAt(request, 'podSandboxId');
  const name = textAt(request, 'config', 'metadata', 'name');
  return pod !== undefined && name !== undefined ? `${name} of ${pod}` : undefined;
}

function podOf(request: unknown): string | undefined {
  const name = textAt(request, 'config', 'metadata', 'name');
  return name === undefined
    ? undefined
    : `${textAt(request, 'config', 'metadata', 'namespace') ?? ''}/${name}`;
}

/** @returns `undefined` if it is not there, empty or no text */
function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  let found: unknown = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return typeof found === 'string' && found !== '' ? found : undefined;
}
