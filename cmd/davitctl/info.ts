// davitctl info: whether the runtime is well, what it can do, and how full its disk is.

import { status as grpcStatus } from '@grpc/grpc-js';
import { CgroupDriver, type FilesystemUsage, type StatusResponse } from '../../api/cri/generated/types.ts';
import { define, type Invocation } from './define.ts';
import { isServiceError } from './explain.ts';
import type { Options } from './option.ts';
import { ASK } from './find.ts';
import { parseInfo, size, toJson } from './format.ts';
import { table } from './table.ts';

export const info = define({
  name: 'info',
  summary: 'show whether the runtime is well, and what it can do',
  synopsis: '[OPTIONS]',
  about: 'Exits with 1 when a condition is not met.',
  options: {},
  examples: [
    ['info', 'conditions, handlers, features, disk usage'],
    ['info --json', 'all of that, and the configuration that the runtime reports'],
  ],
  args: { min: 0, max: 0 },
  run: showInfo,
});

async function showInfo({ cri, io, json }: Invocation<Options>): Promise<number> {
  const [version, status, disks, cgroups] = await Promise.all([
    cri.version({ version: 'v1' }, ASK),
    cri.status({ verbose: json }, ASK),
    cri.imageFsInfo({}, ASK),
    // containerd has it since 2.0
    cri.runtimeConfig({}, ASK).catch((thrown: unknown) => {
      if (isServiceError(thrown, grpcStatus.UNIMPLEMENTED)) return undefined;
      throw thrown;
    }),
  ]);
  const conditions = status.status?.conditions ?? [];
  if (json)
    io.out(toJson({ version, ...status, info: parseInfo(status.info), disks, cgroups: cgroups?.linux }));
  else {
    const driver = cgroups?.linux?.cgroupDriver;
    table([
      ['runtime', `${version.runtimeName} ${version.runtimeVersion}`],
      ...conditions.map(({ type, status: met, reason, message }) => [
        type,
        met ? 'yes' : `no: ${reason}: ${message}`,
      ]),
      ...(driver === undefined
        ? []
        : [['cgroup driver', driver === CgroupDriver.SYSTEMD ? 'systemd' : 'cgroupfs']]),
      ...features(status),
      ...disks.imageFilesystems.map((disk) => ['images', diskText(disk)]),
      ...disks.containerFilesystems.map((disk) => ['containers', diskText(disk)]),
    ]).forEach(io.out);
  }
  return conditions.every((condition) => condition.status) ? 0 : 1;
}

function features({ runtimeHandlers, features: general }: StatusResponse): string[][] {
  const handlers = runtimeHandlers.map(({ name, features: own }) => [
    'handler',
    [name === '' ? '(default)' : name, ...enabled(own ?? {})].join('  '),
  ]);
  return general === undefined
    ? handlers
    : [...handlers, ['features', enabled(general).join('  ') || 'none']];
}

/** `userNamespaces: true` is `user-namespaces`. */
function enabled(flags: object): string[] {
  return Object.entries(flags)
    .filter(([, on]) => on === true)
    .map(([name]) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
}

function diskText({ fsId, usedBytes, inodesUsed }: FilesystemUsage): string {
  return `${size(usedBytes?.value ?? 0n)} in ${String(inodesUsed?.value ?? 0n)} inodes at ${fsId?.mountpoint ?? '?'}`;
}
