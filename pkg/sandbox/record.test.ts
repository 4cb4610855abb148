import { expect, test } from 'vitest';
import { sandboxCodec } from './record.ts';
import { aSandbox } from './testing/sandbox.ts';

const sandbox = aSandbox({ phase: 'ready' });
const selinux = {
  process: 'system_u:system_r:container_t:s0:c1,c2',
  mount: 'system_u:object_r:container_file_t:s0:c1,c2',
};

test('a sandbox is read as it was written, with its SELinux labels and without', () => {
  const labelled = { ...sandbox, selinux, config: { ...sandbox.config, selinux: { type: 'web_t' } } };
  expect(sandboxCodec.decode(sandboxCodec.encode(labelled), 'k')).toEqual(labelled);
  expect(sandboxCodec.decode(sandboxCodec.encode(sandbox), 'k')).toEqual(sandbox);
  expect(sandboxCodec.encode({ ...sandbox, selinux: undefined })).not.toHaveProperty('selinux');
});

test('a sandbox whose label is none is not read', () => {
  const bad = sandboxCodec.encode({ ...sandbox, selinux: { ...selinux, process: 'x' } });
  expect(() => sandboxCodec.decode(bad, 'k')).toThrow('selinux.process');
});
