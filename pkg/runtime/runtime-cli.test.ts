import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { OciCli } from './runtime-cli.ts';
import { runtimeHandler } from './testing/handler.ts';

/** A runtime that does nothing but end as this program does. */
const handlerOf = (path: string) => runtimeHandler({ name: 'test', path, root: '/nowhere' });

test('every call of the runtime is told of, with how it ended', async () => {
  const calls: string[] = [];
  const observe = (command: string, outcome: string) => calls.push(`${command} ${outcome}`);
  const cli = new OciCli({ swapAccounting: false, observe });
  await cli.start(testCall, handlerOf('/bin/true'), 'id');
  await expect(cli.start(testCall, handlerOf('/bin/false'), 'id')).rejects.toThrow('start container "id"');
  await expect(cli.start(testCall, handlerOf('/no/such/runtime'), 'id')).rejects.toThrow('/no/such/runtime');
  expect(calls).toEqual(['start ok', 'start internal', 'start unavailable']);
});
