import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { endOrphanExecs } from './exec-orphans.ts';
import { eventually, processesWith, RUNTIMES, sleepOfItsOwn, TestNode } from './testing/test-node.ts';

test.for(Object.keys(RUNTIMES) as (keyof typeof RUNTIMES)[])(
  'endOrphanExecs() ends what runs for a daemon that is gone, and not what finished commands have left; %s',
  async (runtime) => {
    await using node = await TestNode.open(runtime);
    const container = await node.run(['sleep', '1000']);
    const [left, child, command] = [sleepOfItsOwn(), sleepOfItsOwn(), sleepOfItsOwn()];
    await node.exec(container, ['sh', '-c', `setsid ${left} >/dev/null 2>&1 &`]);
    const orphan = await node.session(container, ['sh', '-c', `setsid ${child} & ${command}`]);
    await eventually('both run', () => processesWith(child).length > 0);
    expect(await endOrphanExecs(node.cgroups, testCall, container)).toBe(1);
    await eventually('they end', () => [child, command].every((each) => processesWith(each).length === 0));
    expect(processesWith(left)).toHaveLength(1);
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
