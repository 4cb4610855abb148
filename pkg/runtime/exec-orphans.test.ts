import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { endOrphanExecs } from './exec-orphans.ts';
import { eventually, processesWith, RUNTIMES, TestNode } from './testing/test-node.ts';

test.for(Object.keys(RUNTIMES) as (keyof typeof RUNTIMES)[])(
  'endOrphanExecs() ends what runs for a daemon that is gone, and not what finished commands have left; %s',
  async (runtime) => {
    await using node = await TestNode.open(runtime);
    const container = await node.run(['sleep', '1000']);
    await node.exec(container, ['sh', '-c', 'setsid sleep 3001 >/dev/null 2>&1 &']);
    const orphan = await node.session(container, ['sh', '-c', 'setsid sleep 3002 & sleep 3003']);
    await eventually('both run', () => processesWith('sleep 3002').length > 0);
    expect(await endOrphanExecs(node.cgroups, testCall, container)).toBe(1);
    const running = ['3001', '3002', '3003'].filter((time) => processesWith(`sleep ${time}`).length > 0);
    expect(running).toEqual(['3001']);
    expect(readdirSync(container.bundle).filter((name) => name.startsWith('exec-'))).toEqual([]);
    expect(await orphan.ended()).toBe(137);
    await orphan[Symbol.asyncDispose]();
  },
);

test('endOrphanExecs() does nothing where there is nothing', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sleep', '1000']);
  expect(await endOrphanExecs(node.cgroups, testCall, container)).toBe(0);
});
