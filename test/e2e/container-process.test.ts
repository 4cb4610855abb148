// What a container runs: command, environment, directory, user.

import { expect, test } from 'vitest';
import { SupplementalGroupsPolicy } from '../../api/cri/generated/types.ts';
import type { ContainerOptions } from './harness/container.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const ID = ['sh', '-c', 'echo $(id -u) $(id -g) $(id -G)'];

async function output(options: ContainerOptions, command?: readonly string[]): Promise<string> {
  const pod = await TestPod.run(node);
  const container = await pod.start({ ...options, ...(command === undefined ? {} : { command }) });
  await container.waitForExit();
  return container.logText('stdout') + container.logText('stderr');
}

test('a container without a command runs that of its image', async () => {
  expect(await output({}, [])).toBe('this is the command of the image\n');
});

test('arguments alone replace the command of the image, when it has no entrypoint', async () => {
  expect(await output({ config: { command: [], args: ['echo', 'from args'] } })).toBe('from args\n');
});

test('arguments follow the command', async () => {
  expect(await output({ config: { command: ['echo', 'a'], args: ['b', 'c d', ''] } })).toBe('a b c d \n');
});

test('variables of the pod come after those of the image, and win', async () => {
  const env = { FROM_IMAGE: 'no', GREETING: 'hello world', EMPTY: '' };
  const lines = (await output({ env }, ['env'])).trim().split('\n');
  expect(lines).toContain('FROM_IMAGE=no');
  expect(lines).toContain('GREETING=hello world');
  expect(lines).toContain('EMPTY=');
  expect(lines).toContain('PATH=/bin');
  expect(lines).not.toContain('FROM_IMAGE=yes');
});

test('a container hears nothing of what another one of its image is told', async () => {
  const pod = await TestPod.run(node);
  const first = await pod.output(['env'], { env: { SECRET: 'of the first', FROM_IMAGE: 'changed' } });
  const second = await pod.output(['env']);
  expect(first).toContain('SECRET=of the first\n');
  expect(second).not.toContain('SECRET');
  expect(second).toContain('FROM_IMAGE=yes\n');
});

test('a variable may hold newlines, quotes and letters of any script', async () => {
  const value = 'line one\nline "two" $HOME ünï 漢字';
  expect(await output({ env: { VALUE: value } }, ['sh', '-c', 'printf %s "$VALUE"'])).toBe(value);
});

test('the working directory is that of the image, unless the pod says another', async () => {
  expect(await output({}, ['pwd'])).toBe('/home\n');
  expect(await output({ config: { command: ['pwd'], workingDir: '/www' } })).toBe('/www\n');
});

test('a working directory that is missing is made', async () => {
  expect(await output({ config: { command: ['pwd'], workingDir: '/new/place' } })).toBe('/new/place\n');
});

test('without another word a container runs as root', async () => {
  expect(await output({}, ID)).toBe('0 0 0 60\n');
});

test('a user by number gets the groups that the image gives to the name', async () => {
  expect(await output({ security: { runAsUser: { value: 1000n } } }, ID)).toBe('1000 1000 1000 29 60\n');
});

test('a user by name is looked up in the image', async () => {
  expect(await output({ security: { runAsUsername: 'alice' } }, ID)).toBe('1000 1000 1000 29 60\n');
});

test('a user unknown to the image runs by number, in group 0', async () => {
  expect(await output({ security: { runAsUser: { value: 4242n } } }, ID)).toBe('4242 0 0\n');
});

test('a group replaces the first one of the user', async () => {
  const security = { runAsUser: { value: 1000n }, runAsGroup: { value: 3000n } };
  expect(await output({ security }, ID)).toBe('1000 3000 3000 29 60\n');
});

test('supplemental groups are added to those of the image, and the status tells all', async () => {
  const pod = await TestPod.run(node);
  const security = { runAsUser: { value: 1000n }, supplementalGroups: [5000n] };
  const container = await pod.start({ command: ID, security });
  const { user } = await container.waitForExit();
  expect(container.logText('stdout')).toBe('1000 1000 1000 29 60 5000\n');
  expect(user?.linux).toEqual({ uid: 1000n, gid: 1000n, supplementalGroups: [1000n, 29n, 60n, 5000n] });
});

test('with the strict policy the groups of the image do not count', async () => {
  const supplementalGroupsPolicy = SupplementalGroupsPolicy.Strict;
  const security = { runAsUser: { value: 1000n }, supplementalGroups: [5000n], supplementalGroupsPolicy };
  expect(await output({ security }, ID)).toBe('1000 1000 1000 5000\n');
});

test('a user name that the image does not have is refused by name, and nothing is left', async () => {
  const pod = await TestPod.run(node);
  expect(await refusalOf(pod.create({ security: { runAsUsername: 'bob' } }))).toEqual({
    code: 'INVALID_ARGUMENT',
    message: 'the image has no user "bob"',
  });
  expect((await node.client.listContainers()).containers).toEqual([]);
});

test('a group without a user is refused', async () => {
  const pod = await TestPod.run(node);
  expect(await refusalOf(pod.create({ security: { runAsGroup: { value: 1n } } }))).toEqual({
    code: 'INVALID_ARGUMENT',
    message: 'config.linux.security_context.run_as_group is set, but neither run_as_user nor run_as_username',
  });
});

test('a container with a terminal has one', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({
    command: ['sh', '-c', 'tty; test -t 0 && test -t 1 && echo yes'],
    config: { tty: true },
  });
  await container.waitForExit();
  expect(container.logText('stdout')).toMatch(/^\/dev\/pts\/\d+\r\nyes\r\n$/);
});

test('an exit code is that of the program', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['sh', '-c', 'exit 42'] });
  expect(await container.waitForExit()).toMatchObject({ exitCode: 42, reason: 'Error' });
});

test('a program that ends by a signal has 128 and its number as exit code', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['sh', '-c', 'sh -c "kill -9 \\$\\$"; exit $?'] });
  expect(await container.waitForExit()).toMatchObject({ exitCode: 137, reason: 'Error' });
});
