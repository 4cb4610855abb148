// What a container may do.

import { honoured, type FieldRow, type FieldRows } from '../field-row.ts';

const PROFILE_FIELDS: FieldRow = honoured(
  'server/convert/security-profile.ts',
  'pkg/server/convert/security-profile: type %i with "%s" is %j',
  'pkg/server/convert/security-profile: type %i with "%s" is refused',
);

const SELINUX: FieldRow = honoured(
  'runtime/selinux/selinux.ts',
  'pkg/runtime/selinux/selinux: user and level are asked for of files too, role and type of processes alone',
  'pkg/runtime/selinux/selinux: a container has the labels of its pod, but for what is asked for',
  'pkg/server/convert/selinux: toSelinux() refuses the %s "%s" by the name of the field',
  'e2e/selinux: without SELinux labels that are asked for mean nothing, and Status says that it is off',
);

export const SECURITY_ROWS: FieldRows = {
  LinuxContainerSecurityContext: {
    privileged: honoured(
      'runtime/spec.ts',
      'e2e/container-security: a privileged container has all that the daemon has',
      'e2e/container-security: a privileged container opens devices that others do not',
      'e2e/container-security: a privileged container is refused in a pod that is not',
    ),
    run_as_user: honoured(
      'runtime/user.ts',
      'e2e/container-process: a user by number gets the groups that the image gives to the name',
      'e2e/container-process: a user unknown to the image runs by number, in group 0',
      'e2e/bad-input: a container with %s is refused',
    ),
    run_as_group: honoured(
      'runtime/user.ts',
      'e2e/container-process: a group replaces the first one of the user',
      'e2e/container-process: a group without a user is refused',
    ),
    run_as_username: honoured(
      'runtime/user.ts',
      'e2e/container-process: a user by name is looked up in the image',
      'e2e/container-user: the user "%s" of an image is %s, and the status tells it',
      'e2e/container-process: a user name that the image does not have is refused by name, and nothing is left',
    ),
    readonly_rootfs: honoured(
      'runtime/spec.ts',
      'e2e/container-mounts: a read-only root file system takes no files, but mounts in it do',
    ),
    supplemental_groups: honoured(
      'runtime/user.ts',
      'e2e/container-process: supplemental groups are added to those of the image, and the status tells all',
      'e2e/container-user: a volume that the kubelet gave to the group of the pod can be written by its members',
    ),
    supplemental_groups_policy: honoured(
      'runtime/user.ts',
      'e2e/container-process: with the strict policy the groups of the image do not count',
      'e2e/bad-input: a container with %s is refused',
    ),
    no_new_privs: honoured(
      'runtime/spec.ts',
      'e2e/container-security: no_new_privs is set where it was asked for, and only there',
    ),
    masked_paths: honoured(
      'runtime/spec.ts',
      'e2e/container-security: paths that the pod names are masked and made read-only instead',
    ),
    readonly_paths: honoured(
      'runtime/spec.ts',
      'e2e/container-security: paths that the pod names are masked and made read-only instead',
    ),
    seccomp: honoured(
      'pod/container-plan.ts',
      'e2e/container-security: a security profile that the node does not have is refused by its path',
    ),
    apparmor: honoured(
      'runtime/apparmor/apparmor.ts',
      'e2e/apparmor: a container that %s has that profile, and is kept from what it denies',
      'e2e/apparmor: a profile of the node is used, or refused by name where there is no AppArmor',
      'e2e/apparmor: a profile that is not loaded is refused by name, for a container and for a pod',
    ),
    apparmor_profile: PROFILE_FIELDS,
    seccomp_profile_path: honoured(
      'server/convert/security-profile.ts',
      'pkg/server/convert/security-profile: the old string "%s" is %j',
      'pkg/server/convert/security-profile: the old string "%s" is refused',
    ),
  },
  Capability: {
    add_capabilities: honoured(
      'runtime/capabilities.ts',
      'e2e/container-security: capabilities are added and dropped by name',
      'e2e/container-security: a capability that does not exist is refused by name',
    ),
    drop_capabilities: honoured(
      'runtime/capabilities.ts',
      'e2e/container-security: capabilities are added and dropped by name',
      'e2e/container-security: dropping ALL leaves nothing but what is added',
    ),
    add_ambient_capabilities: honoured(
      'runtime/capabilities.ts',
      'e2e/container-security: an ambient capability reaches a user who is not root',
    ),
  },
  SecurityProfile: { profile_type: PROFILE_FIELDS, localhost_ref: PROFILE_FIELDS },
  SELinuxOption: { user: SELINUX, role: SELINUX, type: SELINUX, level: SELINUX },
  Int64Value: {
    value: honoured('server/convert/field.ts', 'e2e/bad-input: a container with %s is refused'),
  },
};
