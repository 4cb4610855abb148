// Debian as it comes, with systemd as its init, in containers that have no privileges. hack/test-v2 makes its root
// file system, and names the tar of it in DAVIT_E2E_DEBIAN_ROOT.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { NamespaceMode, type IDMappingInit, type MountInit } from '../../api/cri/generated/types.ts';
import type { TestContainer } from '../e2e/harness/container.ts';
import { eventually } from '../e2e/harness/eventually.ts';
import { writeOciArchive } from '../e2e/harness/image-archive.ts';
import { buildImage } from '../e2e/harness/image-builder.ts';
import { patience } from '../e2e/harness/patience.ts';
import { TestPod } from '../e2e/harness/pod.ts';
import { useNode } from '../e2e/harness/use-node.ts';

const node = useNode({
  config: '[runtime.handlers.divides]\npath = "/usr/sbin/runc"\ncgroup_writable = true\n',
});
const DEBIAN = 'davit.local/debian:systemd';
const HOST_ID = 262_144;
const OWN_USERS = [{ containerId: 0, hostId: HOST_ID, length: 65_536 }];

beforeAll(async () => {
  const root = process.env['DAVIT_E2E_DEBIAN_ROOT'] ?? '';
  const config = { Cmd: ['/sbin/init'], Env: ['container=oci'], StopSignal: 'SIGRTMIN+3' };
  const layers = [{ tar: readFileSync(root), compression: 'none' as const }];
  const archive = join(node.place.dir, 'debian.tar');
  await writeOciArchive(archive, DEBIAN, await buildImage({ layers, config }));
  await node.davit.loadImages({ path: archive });
}, patience(60_000));

/** Volumes where systemd keeps what must not outlive it. */
function volumes(kind: string, mappings: readonly IDMappingInit[]): MountInit[] {
  return ['/run', '/run/lock', '/tmp'].map((containerPath) => {
    const hostPath = join(node.place.dir, `${kind}${containerPath.replaceAll('/', '-')}`);
    mkdirSync(hostPath);
    return { containerPath, hostPath, uidMappings: mappings, gidMappings: mappings };
  });
}

async function startDebian(kind: string, mappings: readonly IDMappingInit[]): Promise<TestContainer> {
  const usernsOptions = { mode: NamespaceMode.POD, uids: mappings, gids: mappings };
  const namespaces = mappings.length === 0 ? {} : { usernsOptions };
  const pod = await TestPod.run(node, { handler: 'divides', namespaces });
  const config = { mounts: volumes(kind, mappings), command: [] };
  return await pod.start({ image: DEBIAN, streams: { tty: true }, config });
}

const says = async (container: TestContainer, ...command: readonly string[]): Promise<string> =>
  (await container.exec(command)).stdout.trim();

test.for([
  { kind: 'own-users', mappings: OWN_USERS, uidMap: [0, HOST_ID, 65_536] },
  { kind: 'host-users', mappings: [], uidMap: [0, 0, 4_294_967_295] },
])('Debian with systemd runs, divides its cgroup and stops when asked: $kind', async (row, { annotate }) => {
  const container = await startDebian(row.kind, row.mappings);
  const { pid } = await container.info();
  const uidMap = readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split(/\s+/).map(Number);
  expect(uidMap).toEqual(row.uidMap);
  expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('systemd\n');

  const state = await eventually(
    'systemd has started all',
    async () => {
      const now = await says(container, 'systemctl', 'is-system-running', '--wait');
      return /^(running|degraded)$/.test(now) && now;
    },
    60_000,
  );
  expect([
    state,
    await says(container, 'systemctl', 'list-units', '--failed', '--plain', '--no-legend'),
  ]).toEqual(['running', '']);
  const tree = await says(container, 'systemctl', 'status', '--no-pager');
  expect(tree).toContain('init.scope');
  expect(tree).toContain('systemd-journald.service');
  const service = ['systemd-run', '--wait', '--pipe', '--quiet', 'cat', '/proc/self/cgroup'];
  expect(await says(container, ...service)).toMatch(/^0::\/system\.slice\/run-\w+\.service$/);

  const start = performance.now();
  await container.stop(60);
  const { exitCode, reason } = await container.status();
  const stopSeconds = (performance.now() - start) / 1000;
  await annotate(`${state}; uid_map ${uidMap.join(' ')}; stopped in ${stopSeconds.toFixed(1)} s\n${tree}`);
  expect({ exitCode, reason }).toEqual({ exitCode: 0, reason: 'Completed' });
});
