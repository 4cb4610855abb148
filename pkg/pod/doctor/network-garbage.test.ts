import { expect, test } from 'vitest';
import { silentLog, testCall } from '../../base/testing/call.ts';
import type { SandboxId } from '../../base/id.ts';
import type { NetworkConfigList } from '../../network/network-config.ts';
import { makeList } from '../../network/testing/pods.ts';
import { aSandbox } from '../../sandbox/testing/sandbox.ts';
import { ensureDirectory } from '../../sys/files.ts';
import { tempDir, type TempDir } from '../../sys/testing/temp-dir.ts';
import { collectNetworkGarbage, type NetworkGarbageDeps } from './network-garbage.ts';

const NET = makeList({ name: 'net', cniVersion: '1.1.0', plugins: [{ type: 'x' }] });
const OTHER = makeList({ name: 'other', cniVersion: '1.1.0', plugins: [{ type: 'x' }] });

function deps(dir: TempDir, changes: Partial<NetworkGarbageDeps>): NetworkGarbageDeps {
  return {
    runDir: dir.path,
    sandboxes: { list: () => [] },
    quarantine: { keys: () => [] },
    selected: () => [NET],
    networks: { collectGarbage: () => Promise.resolve() },
    ...changes,
  };
}

test('of no pod that may be there is anything collected', async () => {
  using dir = tempDir();
  const inNet = (networkConfig: NetworkConfigList, phase: 'creating' | 'ready' | 'stopping' | 'stopped') => ({
    ...aSandbox({ phase }, `${networkConfig.name}-${phase}`),
    networkConfig,
  });
  const sandboxes = [
    ...(['creating', 'ready', 'stopping', 'stopped'] as const).map((phase) => inNet(NET, phase)),
    inNet(OTHER, 'ready'),
    aSandbox({ phase: 'ready' }, 'on-the-node'),
  ];
  await ensureDirectory(dir.join('sandboxes', 'has-a-directory'), 0o700);
  let told: readonly SandboxId[] = [];
  const collectGarbage: NetworkGarbageDeps['networks']['collectGarbage'] = async (_call, _list, valid) => {
    told = await valid();
  };
  const quarantine = { keys: () => ['sandbox/unreadable'] };
  const options = { sandboxes: { list: () => sandboxes }, quarantine, networks: { collectGarbage } };
  await collectNetworkGarbage(deps(dir, options))(testCall);
  expect(told.toSorted()).toEqual(
    ['has-a-directory', 'net-creating', 'net-ready', 'net-stopping', 'unreadable'].toSorted(),
  );
});

test('a network that cannot is told of once, and costs the others nothing', async () => {
  using dir = tempDir();
  const lines: string[] = [];
  const log = { ...silentLog, warn: (_: object, event: string) => void lines.push(event) };
  const collected: string[] = [];
  const collectGarbage = (_call: unknown, { name }: NetworkConfigList) => {
    collected.push(name);
    return name === 'net' ? Promise.reject(new Error('it cannot')) : Promise.resolve();
  };
  const collect = collectNetworkGarbage(
    deps(dir, { selected: () => [NET, OTHER], networks: { collectGarbage } }),
  );
  await collect({ ...testCall, log });
  await collect({ ...testCall, log });
  expect(lines).toEqual(['network not cleaned up']);
  expect(collected).toEqual(['net', 'other', 'net', 'other']);
});
