// Whether a hook is for a container.

import type { HookConditions } from './hook-file.ts';

export interface HookSubject {
  /** The program of the container, as it was asked for. */
  readonly command: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly hasBindMounts: boolean;
}

/** Source: oci-hooks(5), "when". */
export function matches(
  { always, hasBindMounts, annotations, commands }: HookConditions,
  subject: HookSubject,
): boolean {
  const said: boolean[] = [];
  if (always !== undefined) said.push(always);
  if (hasBindMounts !== undefined) said.push(hasBindMounts && subject.hasBindMounts);
  const pairs = Object.entries(subject.annotations);
  for (const { name, value } of annotations) {
    said.push(pairs.some(([key, text]) => name.matcher(key).find() && value.matcher(text).find()));
  }
  if (commands.length > 0) said.push(commands.some((command) => command.matcher(subject.command).find()));
  return said.length > 0 && said.every(Boolean);
}
