// CRI's LinuxContainerSecurityContext, checked and in our words.

import {
  SupplementalGroupsPolicy,
  type Int64Value,
  type LinuxContainerSecurityContext,
} from '../../../api/cri/generated/types.ts';
import { Fault } from '../../base/fault.ts';
import type { ContainerSecurity } from '../../pod/container-config.ts';
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from '../../runtime/spec.ts';
import { refuse, toId } from './field.ts';
import { toContainerPidMode } from './namespace-mode.ts';
import { toSelinux } from './selinux.ts';
import { toProfileChoice } from './security-profile.ts';
import { toUserNamespace } from './user-namespace.ts';

type Context = LinuxContainerSecurityContext | undefined;

const AT = 'config.linux.security_context';

/** @throws {Fault} invalid_argument — a field makes no sense */
export function toSecurity(context: Context): ContainerSecurity {
  return {
    privileged: context?.privileged ?? false,
    ...toCapabilities(context),
    pid: toContainerPidMode(context?.namespaceOptions),
    userNamespace: toUserNamespace(context?.namespaceOptions?.usernsOptions, `${AT}.namespace_options`),
    ...toUser(context),
    ...toGroups(context),
    noNewPrivileges: context?.noNewPrivs ?? false,
    ...toPaths(context),
    ...toProfiles(context),
    selinux: toSelinux(context?.selinuxOptions, `${AT}.selinux_options`),
  };
}

/** A kubelet says which paths are masked, or none on purpose; the defaults are for those that say nothing. */
function toPaths(
  context: Context,
): Pick<ContainerSecurity, 'readonlyRootfs' | 'maskedPaths' | 'readonlyPaths'> {
  return {
    readonlyRootfs: context?.readonlyRootfs ?? false,
    maskedPaths: context?.maskedPaths ?? DEFAULT_MASKED_PATHS,
    readonlyPaths: context?.readonlyPaths ?? DEFAULT_READONLY_PATHS,
  };
}

function toCapabilities(
  context: Context,
): Pick<ContainerSecurity, 'addCapabilities' | 'dropCapabilities' | 'addAmbientCapabilities'> {
  const {
    addCapabilities = [],
    dropCapabilities = [],
    addAmbientCapabilities = [],
  } = context?.capabilities ?? {};
  return { addCapabilities, dropCapabilities, addAmbientCapabilities };
}

function toUser(context: Context): Pick<ContainerSecurity, 'runAsUser' | 'runAsUsername' | 'runAsGroup'> {
  const { runAsUser, runAsUsername = '', runAsGroup } = context ?? {};
  if (runAsGroup !== undefined && runAsUser === undefined && runAsUsername === '')
    throw new Fault(
      'invalid_argument',
      `${AT}.run_as_group is set, but neither run_as_user nor run_as_username`,
    );
  return {
    runAsUser: optionalId(runAsUser, `${AT}.run_as_user`),
    runAsUsername,
    runAsGroup: optionalId(runAsGroup, `${AT}.run_as_group`),
  };
}

function toGroups(
  context: Context,
): Pick<ContainerSecurity, 'supplementalGroups' | 'supplementalGroupsPolicy'> {
  const { supplementalGroups = [], supplementalGroupsPolicy } = context ?? {};
  return {
    supplementalGroups: supplementalGroups.map((id) => toId(id, `${AT}.supplemental_groups`)),
    supplementalGroupsPolicy: toGroupsPolicy(supplementalGroupsPolicy),
  };
}

/** Taken for the other one, a policy would give groups that nobody asked for. */
function toGroupsPolicy(policy: number | undefined): ContainerSecurity['supplementalGroupsPolicy'] {
  switch (policy) {
    case undefined:
    case SupplementalGroupsPolicy.Merge:
      return 'merge';
    case SupplementalGroupsPolicy.Strict:
      return 'strict';
    default:
      throw refuse(`${AT}.supplemental_groups_policy`, policy, 'is not known');
  }
}

function toProfiles(context: Context): Pick<ContainerSecurity, 'seccomp' | 'apparmor'> {
  return {
    seccomp: toProfileChoice(context?.seccomp, context?.seccompProfilePath ?? '', {
      field: `${AT}.seccomp`,
      oldField: `${AT}.seccomp_profile_path`,
    }),
    apparmor: toProfileChoice(context?.apparmor, context?.apparmorProfile ?? '', {
      field: `${AT}.apparmor`,
      oldField: `${AT}.apparmor_profile`,
    }),
  };
}

function optionalId(id: Int64Value | undefined, field: string): number | undefined {
  return id === undefined ? undefined : toId(id.value, field);
}
