// Which annotations reach an OCI runtime. Runtimes obey some of them, so a pod gives only what the node's
// configuration lets it give.

/** Of a runtime handler. */
export interface AnnotationRules {
  /** Names, where `*` is any characters but `/`. */
  readonly allowed: readonly string[];
  /** What holds where neither pod nor container says otherwise. */
  readonly defaults: Readonly<Record<string, string>>;
}

type Annotations = Readonly<Record<string, string>>;

/** Whose container it is: what a shim or a hook of the node may want to know. */
export interface AnnotatedContainer {
  readonly name: string;
  readonly imageName: string;
  readonly annotations: Annotations;
  readonly pod: {
    readonly id: string;
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly annotations: Annotations;
  };
}

/** What we note for ourselves: see `hookNamesKey()`. */
const OURS = 'davit.hooks/';

/** A container's own annotation wins over its pod's. What we say of the container nobody can say otherwise. */
export function toOciAnnotations(
  { allowed, defaults }: AnnotationRules,
  of: AnnotatedContainer,
): Annotations {
  const patterns = allowed.map(toPattern);
  const asked = Object.entries({ ...of.pod.annotations, ...of.annotations });
  const passed = asked.filter(
    ([name]) => !name.startsWith(OURS) && patterns.some((pattern) => pattern.test(name)),
  );
  return { ...defaults, ...Object.fromEntries(passed), ...descriptionOf(of) };
}

/**
 * The names are containerd's. Its `container-type` is left out: gVisor would look for the container that holds the
 * sandbox, and there is none.
 */
function descriptionOf({ name, imageName, pod }: AnnotatedContainer): Annotations {
  return {
    'io.kubernetes.cri.container-name': name,
    'io.kubernetes.cri.image-name': imageName,
    'io.kubernetes.cri.sandbox-id': pod.id,
    'io.kubernetes.cri.sandbox-name': pod.name,
    'io.kubernetes.cri.sandbox-namespace': pod.namespace,
    'io.kubernetes.cri.sandbox-uid': pod.uid,
  };
}

function toPattern(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\/]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('[^/]*')}$`);
}
