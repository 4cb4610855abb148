import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { Fault } from '../base/fault.ts';
import { testCall } from '../base/testing/call.ts';
import { FeatureFinder } from './handler-features.ts';
import { RuntimeHandlers } from './handlers.ts';
import { OciCli } from './runtime-cli.ts';
import { handlerConfig } from './testing/handler.ts';

const handlersAt = (path: string) =>
  new RuntimeHandlers({
    handlers: { one: handlerConfig(path), other: handlerConfig(path) },
    defaultHandler: 'one',
    runDir: '/nowhere',
    systemdCgroup: false,
  });
const handlers = handlersAt('/usr/sbin/runc');
const kernel = { recursiveReadonlyMounts: true, userNamespaces: true };
const ALL = { recursiveReadonlyMounts: true, userNamespaces: true, networkDevices: false };
const CAN = { recursiveReadonlyMounts: true, userNamespaces: false, networkDevices: false };
const CANNOT = { recursiveReadonlyMounts: false, userNamespaces: false, networkDevices: false };

/** A runtime that answers each question with the next answer. */
function fakeCli(...answers: readonly (() => unknown)[]) {
  let asked = 0;
  return {
    features: () => Promise.resolve().then(() => answers[asked++]?.()),
    asked: () => asked,
  };
}

test('the real runtime and kernel are believed', async () => {
  const path = execFileSync('/usr/bin/which', ['runc']).toString().trim();
  const cli = new OciCli({ swapAccounting: false });
  expect(await new FeatureFinder({ handlers: handlersAt(path), cli, kernel }).find(testCall, '')).toEqual(
    ALL,
  );
});

test.each([
  ['says so', { mountOptions: ['ro', 'rro'] }, CAN],
  ['also has user namespaces', { mountOptions: ['rro'], linux: { namespaces: ['user'] } }, ALL],
  ['does not list it', { mountOptions: ['ro'] }, CANNOT],
  ['lists nothing', {}, CANNOT],
  ['knows no features', undefined, CANNOT],
  ['answers nonsense', { mountOptions: 7 }, CANNOT],
])('a runtime that %s', async (_, answer, expected) => {
  const finder = new FeatureFinder({ handlers, cli: fakeCli(() => answer), kernel });
  expect(await finder.find(testCall, '')).toEqual(expected);
});

test('a kernel that cannot is not outdone by a runtime that can', async () => {
  const cli = fakeCli(() => ({ mountOptions: ['rro'], linux: { namespaces: ['user'] } }));
  expect(await new FeatureFinder({ handlers, cli, kernel: CANNOT }).find(testCall, '')).toEqual(CANNOT);
});

test('each handler is asked once, the default under both its names', async () => {
  const cli = fakeCli(
    () => ({ mountOptions: ['rro'] }),
    () => ({ mountOptions: [] }),
  );
  const finder = new FeatureFinder({ handlers, cli, kernel });
  const found = [];
  for (const name of ['', 'one', 'other', 'other']) found.push(await finder.find(testCall, name));
  expect({ found, asked: cli.asked() }).toEqual({ found: [CAN, CAN, CANNOT, CANNOT], asked: 2 });
});

test('a runtime that cannot be started is asked again', async () => {
  const cli = fakeCli(
    () => {
      throw new Fault('unavailable', 'cannot start "/usr/sbin/runc"');
    },
    () => ({ mountOptions: ['rro'] }),
  );
  const finder = new FeatureFinder({ handlers, cli, kernel });
  expect([await finder.find(testCall, ''), await finder.find(testCall, '')]).toEqual([CANNOT, CAN]);
});

test('a handler that is not there is refused', async () => {
  const finder = new FeatureFinder({ handlers, cli: fakeCli(), kernel });
  await expect(finder.find(testCall, 'gvisor')).rejects.toMatchObject({ code: 'invalid_argument' });
});
