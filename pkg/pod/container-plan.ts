// Turns what was asked for into an OCI bundle. What can be refused is refused here, before anything is done.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { Container } from '../container/container.ts';
import type { Plan } from '../container/create.ts';
import { mayExit } from '../container/phase.ts';
import { containerPaths } from '../container/paths.ts';
import type { DeclaredVolumes } from '../image/declared-volumes.ts';
import type { Image } from '../image/image.ts';
import { cgroupsPath, type CgroupDriver } from '../runtime/cgroup-path.ts';
import { toOciAnnotations } from '../runtime/annotations.ts';
import type { AppArmor } from '../runtime/apparmor/apparmor.ts';
import { toOciCapabilities, type CapabilitiesInput } from '../runtime/capabilities.ts';
import type { DeviceInput } from '../runtime/devices.ts';
import { readAllDevices, readDevices } from '../runtime/host-devices.ts';
import type { FeatureFinder } from '../runtime/handler-features.ts';
import type { RuntimeHandler, RuntimeHandlers } from '../runtime/handlers.ts';
import { encodeOciJson } from '../runtime/oci-json.ts';
import { clampOomScoreAdj } from '../runtime/oom-score.ts';
import type { SeccompProfile } from '../runtime/seccomp/profile.ts';
import { selectProfile, type SeccompOptions } from '../runtime/seccomp/select-profile.ts';
import {
  findClasses,
  type ResourceClasses,
  type ResourceClassesOptions,
} from '../runtime/resource-classes.ts';
import { relabelAll } from '../runtime/selinux/relabel-thread.ts';
import type { SelinuxLabels } from '../runtime/selinux/context.ts';
import type { Selinux } from '../runtime/selinux/selinux.ts';
import { checkMountPlaces } from '../runtime/mount-places.ts';
import { checkRootfs } from '../runtime/rootfs.ts';
import { buildContainerSpec, type ContainerSpecInput, type NamespacesInput } from '../runtime/spec.ts';
import { resolveUser } from '../runtime/user.ts';
import { sandboxPaths } from '../sandbox/paths.ts';
import { podHostname } from '../sandbox/pod-files.ts';
import { podUsers } from '../sandbox/pod-users.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { ContainerConfig, ContainerSecurity } from './container-config.ts';
import { labelsOf, toRelabelOrder } from './container-labels.ts';
import { toImageMounts, toMounts, toPlaces } from './container-mounts.ts';
import { checkIds, toIdmappedVolumes } from './container-users.ts';
import { declaredVolumes, makeDeclaredVolumes, type DeclaredVolumeMode } from './declared-volumes.ts';
import type { Ingredients } from './ingredients.ts';
import { makeLogPlace } from './log-place.ts';
import type { SpecAdjuster } from './spec-adjusters.ts';

/** What the node is like; it does not change while the daemon runs. */
export interface NodeFacts {
  readonly runDir: string;
  readonly cgroup: { readonly driver: CgroupDriver; readonly parent: string; readonly version: 1 | 2 };
  readonly capabilities: ReadonlySet<string>;
  /** Whether the kernel limits swap per cgroup. */
  readonly swapAccounting: boolean;
  /** Whether it limits huge pages. */
  readonly hugepageAccounting: boolean;
  readonly lowestOomScoreAdj: number;
  readonly seccomp: SeccompOptions;
  /** What becomes of volumes that images declare. */
  readonly imageVolumes: DeclaredVolumeMode;
  readonly classes: ResourceClassesOptions;
}

export type PlanContainer = (call: Call, ingredients: Ingredients) => Promise<Plan>;

export interface PlannerDeps {
  readonly facts: NodeFacts;
  /** For a container that joins the pid namespace of another. */
  readonly containers: { findByPrefix(prefix: string): Container | undefined };
  readonly features: Pick<FeatureFinder, 'find'>;
  readonly handlers: Pick<RuntimeHandlers, 'get'>;
  readonly apparmor: Pick<AppArmor, 'select'>;
  readonly selinux: Pick<Selinux, 'forContainer'>;
  readonly adjust: SpecAdjuster;
  readonly declaredVolumes: Pick<DeclaredVolumes, 'make'>;
}

export function planner(deps: PlannerDeps): PlanContainer {
  const { facts, containers, features, handlers, apparmor } = deps;
  const noteClamp = clampNote(facts.lowestOomScoreAdj);
  return async (call, ingredients) => {
    const { config, container, image, sandbox } = ingredients;
    const { logPath } = container;
    const target = config.security.pid.kind === 'target' ? config.security.pid.containerId : undefined;
    const targetPid = target === undefined ? undefined : pidOfTarget(containers, container, target);
    await checkRecursiveReadonly(features, call, ingredients);
    const handler = handlers.get(container.handler);
    const devices = await devicesOf(config, handler);
    const hostMounts = await toMounts(facts.runDir, ingredients);
    const users = podUsers(facts.runDir, sandbox);
    const { bundle } = containerPaths(facts.runDir, container.id);
    const labels = await labelsOf(deps.selinux, ingredients);
    const input = toSpecInput(facts, ingredients, {
      handler,
      devices,
      targetPid,
      mounts: hostMounts,
      classes: await classesOf(facts, ingredients),
      seccomp: await seccompOf(facts, call, config),
      apparmorProfile: await apparmor.select(call, config.security.apparmor, config.security),
      labels,
    });
    const paths = declaredVolumes(image.config.Volumes, [...hostMounts, ...toPlaces(container)]);
    const adjust = await deps.adjust(call, ingredients);
    noteClamp(call, ingredients);
    return {
      readonlyRootfs: config.security.readonlyRootfs,
      users,
      cgroupWritable: config.security.privileged || handler.cgroupWritable,
      idmappedVolumes: toIdmappedVolumes(hostMounts),
      stdin: { open: config.stdin, once: config.stdinOnce },
      mountLabel: labels?.mount,
      writeBundle: async (bundling, { rootfs, imageVolumes }) => {
        await checkRootfs(rootfs);
        const { uid, gid, additionalGids } = await userOf(ingredients, rootfs);
        const user = { uid, gid, supplementalGroups: additionalGids };
        checkIds(user, users?.mapping);
        const volumes = { mode: facts.imageVolumes, rootfs, paths, users, bundle };
        const made = await makeDeclaredVolumes(deps.declaredVolumes, bundling, container.id, volumes);
        await relabelAll(bundling, toRelabelOrder(labels, hostMounts, made.directories));
        const mounts = [...input.mounts, ...toImageMounts(container, imageVolumes), ...made.mounts];
        const built = buildContainerSpec({ ...input, mounts, rootfs, user: { uid, gid, additionalGids } });
        const spec = await adjust(built);
        await checkMountPlaces({ rootfs, mounts: spec.mounts, privileged: config.security.privileged });
        if (logPath !== '') await makeLogPlace(sandbox.config.logDirectory, logPath);
        await writeFile(join(bundle, 'config.json'), encodeOciJson(spec), { mode: 0o600 });
        return user;
      },
    };
  };
}

/** The kubelet knows the refusal by how it begins. Source: the errors of the CRI, `ErrRROUnsupported`. */
async function checkRecursiveReadonly(
  features: Pick<FeatureFinder, 'find'>,
  call: Call,
  { container: { handler, mounts } }: Ingredients,
): Promise<void> {
  const mount = mounts.find(({ recursiveReadOnly, image }) => recursiveReadOnly && image === undefined);
  if (mount === undefined || (await features.find(call, handler)).recursiveReadonlyMounts) return;
  throw new Fault(
    'unimplemented',
    `RROUnsupported: cannot mount "${mount.containerPath}": runtime handler "${handler}" or this kernel cannot make mounts recursively read-only`,
    { detail: { handler } },
  );
}

interface LookedUp {
  readonly handler: RuntimeHandler;
  readonly devices: readonly DeviceInput[];
  readonly mounts: ContainerSpecInput['mounts'];
  readonly targetPid: number | undefined;
  readonly seccomp: SeccompProfile | undefined;
  readonly apparmorProfile: string | undefined;
  readonly labels: SelinuxLabels | undefined;
  readonly classes: ResourceClasses;
}

function toSpecInput(
  facts: NodeFacts,
  ingredients: Ingredients,
  { handler, devices, mounts, targetPid, seccomp, apparmorProfile, labels, classes }: LookedUp,
): Omit<ContainerSpecInput, 'rootfs' | 'user'> {
  const { container, sandbox, image, config } = ingredients;
  const { security } = config;
  const parent = sandbox.config.cgroupParent === '' ? facts.cgroup.parent : sandbox.config.cgroupParent;
  return {
    id: container.id,
    args: toArgs(config, image),
    env: [...image.config.Env.flatMap(parseVariable), ...config.env],
    cwd: config.workingDir === '' ? image.config.WorkingDir : config.workingDir,
    tty: config.tty,
    readonlyRootfs: security.readonlyRootfs,
    hostname: podHostname(sandbox.config),
    mounts,
    sharedMemory:
      sandbox.config.ipc === 'pod' ? sandboxPaths(facts.runDir, sandbox.id).sharedMemory : '/dev/shm',
    devices,
    resources: config.resources ?? {},
    classes,
    swapAccounting: facts.swapAccounting,
    hugepageAccounting: facts.hugepageAccounting,
    capabilities: capabilitiesOf(security),
    availableCapabilities: facts.capabilities,
    privileged: security.privileged,
    cgroupWritable: handler.cgroupWritable,
    allDevicesAllowed: security.privileged && !handler.privilegedWithoutHostDevices,
    noNewPrivileges: security.noNewPrivileges,
    seccomp,
    apparmorProfile,
    selinux: labels,
    maskedPaths: security.maskedPaths,
    readonlyPaths: security.readonlyPaths,
    oomScoreAdj: clampOomScoreAdj(config.oomScoreAdj, facts.lowestOomScoreAdj),
    namespaces: toNamespaces(facts, sandbox, container, targetPid),
    cgroupVersion: facts.cgroup.version,
    cgroupsPath: cgroupsPath(facts.cgroup.driver, parent, container.id).spec,
    sysctls: {},
    annotations: annotationsOf(handler, ingredients),
  };
}

function annotationsOf(
  { annotations }: RuntimeHandler,
  { container, sandbox, config }: Ingredients,
): Readonly<Record<string, string>> {
  const { id, config: pod } = sandbox;
  const { name, namespace, uid } = pod.metadata;
  return toOciAnnotations(annotations, {
    name: container.metadata.name,
    imageName: container.image.userSpecified === '' ? container.image.name : container.image.userSpecified,
    annotations: config.annotations,
    pod: { id, name, namespace, uid, annotations: pod.annotations },
  });
}

/** As Kubernetes defines it: a command replaces the image's entrypoint and command, arguments its command. */
function toArgs({ command, args, image: name }: ContainerConfig, { config }: Image): string[] {
  const program = command.length > 0 ? command : config.Entrypoint;
  const rest = args.length > 0 || command.length > 0 ? args : config.Cmd;
  const all = [...program, ...rest];
  if (all.length > 0) return all;
  throw new Fault('invalid_argument', `neither the container nor its image "${name}" says what to run`);
}

/** `NAME=value`; an image's variable without a name is skipped. */
function parseVariable(text: string): { name: string; value: string }[] {
  const at = text.indexOf('=');
  return at > 0 ? [{ name: text.slice(0, at), value: text.slice(at + 1) }] : [];
}

function toNamespaces(
  { runDir }: NodeFacts,
  { id, config }: Sandbox,
  { ownPidNamespace }: Container,
  targetPid: number | undefined,
): NamespacesInput {
  const pinned = (type: string) => join(sandboxPaths(runDir, id).namespaces, type);
  const pid =
    targetPid !== undefined
      ? `/proc/${targetPid}/ns/pid`
      : ownPidNamespace
        ? 'new'
        : config.pid === 'pod'
          ? pinned('pid')
          : 'host';
  return {
    net: config.network === 'pod' ? pinned('net') : 'host',
    uts: config.network === 'pod' ? pinned('uts') : 'host',
    ipc: config.ipc === 'pod' ? pinned('ipc') : 'host',
    pid,
    users: podUsers(runDir, { id, config }),
  };
}

function pidOfTarget(
  containers: { findByPrefix(prefix: string): Container | undefined },
  { sandboxId }: Container,
  targetId: string,
): number {
  const target = containers.findByPrefix(targetId);
  if (target?.sandboxId !== sandboxId || !mayExit(target.state)) {
    throw new Fault(
      'invalid_argument',
      `config.linux.security_context.namespace_options.target_id "${targetId}" is not a running container of the pod`,
    );
  }
  return target.state.process.pid;
}

async function devicesOf(
  { devices, security }: ContainerConfig,
  { privilegedWithoutHostDevices }: RuntimeHandler,
): Promise<DeviceInput[]> {
  const asked = await Promise.all(devices.map((device) => readDevices(device)));
  const all = security.privileged && !privilegedWithoutHostDevices ? await readAllDevices() : [];
  return [...all, ...asked.flat()];
}

function capabilitiesOf(security: ContainerSecurity): CapabilitiesInput {
  const { addCapabilities: add, dropCapabilities: drop, addAmbientCapabilities: ambient } = security;
  return { add, drop, ambient };
}

async function classesOf({ classes }: NodeFacts, { config, sandbox }: Ingredients): Promise<ResourceClasses> {
  const { metadata, annotations } = config;
  const podAnnotations = sandbox.config.annotations;
  return await findClasses(classes, { name: metadata.name, annotations, podAnnotations });
}

/** A privileged container has no filter, and its profile need not even exist. */
async function seccompOf(
  facts: NodeFacts,
  call: Call,
  { security }: ContainerConfig,
): Promise<SeccompProfile | undefined> {
  if (security.privileged) return undefined;
  const { bounding } = toOciCapabilities(capabilitiesOf(security), facts.capabilities);
  return await selectProfile(facts.seccomp, call, { choice: security.seccomp, capabilities: bounding });
}

function userOf({ config, image }: Ingredients, rootfs: string): ReturnType<typeof resolveUser> {
  const { runAsUser, runAsUsername, runAsGroup, supplementalGroups, supplementalGroupsPolicy } =
    config.security;
  return resolveUser({
    rootfs,
    imageUser: image.config.User,
    runAsUser,
    runAsUsername,
    runAsGroup,
    supplementalGroups,
    policy: supplementalGroupsPolicy,
  });
}

/** Nodes whose daemon may not lower the score are rare; one line tells why pods die sooner there. */
function clampNote(lowestOomScoreAdj: number): (call: Call, ingredients: Ingredients) => void {
  let noted = false;
  return (call, { config, container: { id } }) => {
    if (noted || config.oomScoreAdj >= lowestOomScoreAdj) return;
    noted = true;
    const wanted = config.oomScoreAdj;
    call.log.warn({ id, wanted, lowestOomScoreAdj }, 'oom_score_adj raised to what we may give');
  };
}
