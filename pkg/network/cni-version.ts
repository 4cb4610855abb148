// Versions of the CNI specification: which we speak, and which of them a configuration means.

/** In ascending order. */
export const CNI_VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;
export type CniVersion = (typeof CNI_VERSIONS)[number];

/** What a configuration without `cniVersion` means, for plugins and runtimes alike. */
const UNNAMED_VERSION = '0.1.0';

/**
 * The version to speak: the highest that the configuration offers and we know.
 *
 * @returns `undefined` when we know none of what is offered
 * Source: CNI specification, "Version considerations".
 */
export function selectVersion(
  cniVersion: string | undefined,
  cniVersions: readonly string[] = [],
): CniVersion | undefined {
  const offered = cniVersion === undefined ? cniVersions : [cniVersion, ...cniVersions];
  if (offered.length === 0) return UNNAMED_VERSION;
  return CNI_VERSIONS.findLast((known) => offered.includes(known));
}

/** Whether `version` is `floor` or came after it. */
export function isAtLeast(version: CniVersion, floor: CniVersion): boolean {
  return CNI_VERSIONS.indexOf(version) >= CNI_VERSIONS.indexOf(floor);
}
