// Which seccomp or AppArmor profile a container asks for.

/** `unset`: nobody has said; the node's configuration decides. */
export type ProfileChoice =
  | { readonly kind: 'unset' | 'unconfined' | 'runtime_default' }
  /** A file for seccomp, a loaded profile for AppArmor. */
  | { readonly kind: 'localhost'; readonly reference: string };
