import { expect, test } from 'vitest';
import { toSelinux } from './selinux.ts';

const AT = 'config.linux.security_context.selinux_options';
const NOTHING = { user: '', role: '', type: '', level: '' };

test('toSelinux() of nothing, or of empty parts, is nothing', () => {
  expect(toSelinux(undefined, AT)).toBeUndefined();
  expect(toSelinux(NOTHING, AT)).toBeUndefined();
});

test('toSelinux() takes the parts that are there', () => {
  const option = { ...NOTHING, type: 'container_logreader_t', level: 's0:c123,c456' };
  expect(toSelinux(option, AT)).toEqual({ type: 'container_logreader_t', level: 's0:c123,c456' });
});

test.each(['s0', 's0:c1', 's0:c0.c1023', 's0:c1,c5.c9,c12', 's0-s0:c0.c1023', 's1:c3-s15:c0.c9'])(
  'toSelinux() takes the level %s',
  (level) => {
    expect(toSelinux({ ...NOTHING, level }, AT)).toEqual({ level });
  },
);

test.each([
  ['user', 'system_u:x'],
  ['user', 'a b'],
  ['role', 'system_r"'],
  ['type', 'spc_t,lowerdir=/'],
  ['type', '../etc'],
  ['type', 't\n'],
  ['level', 'c1,c2'],
  ['level', 's0:c1;c2'],
  ['level', 's0:c1,c2"'],
  ['level', 's0:c12345'],
])('toSelinux() refuses the %s "%s" by the name of the field', (name, value) => {
  expect(() => toSelinux({ ...NOTHING, [name]: value }, AT)).toThrow(
    `${AT}.${name} "${value}" is not the ${name} of a SELinux label`,
  );
});
