import { expect, test } from 'vitest';
import { CAPABILITIES } from '../../sys/capability.ts';
import { encodeOciJson } from '../oci-json.ts';
import { parseProfile, type Circumstances } from './custom-profile.ts';
import { defaultProfile } from './default-profile.ts';

const here: Circumstances = { capabilities: [], architecture: 'x64', kernel: '6.1.0-38-amd64' };

function parse(text: string, circumstances: Partial<Circumstances> = {}) {
  return parseProfile(text, 'seccomp profile "/a.json"', { ...here, ...circumstances });
}

/** Of a profile with one rule: whether it is kept. */
function keeps(condition: object, circumstances: Partial<Circumstances> = {}): boolean {
  const rule = { names: ['chmod'], action: 'SCMP_ACT_ERRNO', ...condition };
  const text = JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] });
  return parse(text, circumstances).syscalls.length === 1;
}

test('a profile in the form of OCI stays as it is', () => {
  const profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    architectures: ['SCMP_ARCH_X86_64'],
    flags: ['SECCOMP_FILTER_FLAG_LOG'],
    listenerPath: '/run/agent.sock',
    listenerMetadata: 'a',
    syscalls: [
      {
        names: ['clone'],
        action: 'SCMP_ACT_ALLOW',
        errnoRet: 1,
        args: [{ index: 0, value: 2114060288, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
      },
    ],
  };
  expect(parse(JSON.stringify(profile))).toEqual(profile);
});

test('our default comes back from its own text', () => {
  const profile = defaultProfile(CAPABILITIES, 'x64');
  expect(parse(encodeOciJson(profile))).toEqual(profile);
});

test('numbers of 64 bits keep every digit', () => {
  const text =
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["ioctl"],"action":"SCMP_ACT_ERRNO",' +
    '"args":[{"index":1,"value":18446744073709551615,"valueTwo":9007199254740993,"op":"SCMP_CMP_MASKED_EQ"}]}]}';
  expect(encodeOciJson(parse(text))).toBe(text);
});

test('the form of Docker: a map of architectures, single names, null for nothing, comments', () => {
  const profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    archMap: [
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
    ],
    syscalls: [
      { name: 'open', action: 'SCMP_ACT_ALLOW', args: null },
      { names: ['close'], action: 'SCMP_ACT_ALLOW', args: [], comment: 'why', includes: {}, excludes: {} },
    ],
  };
  expect(parse(JSON.stringify(profile))).toEqual({
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: [
      { names: ['open'], action: 'SCMP_ACT_ALLOW' },
      { names: ['close'], action: 'SCMP_ACT_ALLOW' },
    ],
  });
});

test('the form of Podman: errors by name win over numbers', () => {
  const profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    defaultErrno: 'ENOSYS',
    syscalls: [{ names: ['bpf'], action: 'SCMP_ACT_ERRNO', errnoRet: 38, errno: 'EPERM' }],
  };
  expect(parse(JSON.stringify(profile))).toEqual({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    syscalls: [{ names: ['bpf'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }],
  });
});

test.for([
  [{ includes: { caps: ['CAP_BPF'] } }, {}, false],
  [{ includes: { caps: ['CAP_BPF'] } }, { capabilities: ['CAP_BPF'] }, true],
  [{ includes: { caps: ['CAP_BPF', 'CAP_KILL'] } }, { capabilities: ['CAP_BPF'] }, false],
  [{ excludes: { caps: ['CAP_BPF', 'CAP_KILL'] } }, { capabilities: ['CAP_KILL'] }, false],
  [{ excludes: { caps: ['CAP_BPF'] } }, {}, true],
  [{ includes: { arches: ['amd64', 'x32'] } }, {}, true],
  [{ includes: { arches: ['amd64'] } }, { architecture: 'arm64' }, false],
  [{ excludes: { arches: ['arm64'] } }, { architecture: 'arm64' }, false],
  [{ excludes: { caps: ['CAP_BPF'], arches: ['s390x'] } }, {}, true],
  [{ includes: { minKernel: '4.8' } }, {}, true],
  [{ includes: { minKernel: '6.1' } }, {}, true],
  [{ includes: { minKernel: '6.2' } }, {}, false],
  [{ includes: { minKernel: '5.19' } }, {}, true],
  [{ excludes: { minKernel: '4.8' } }, {}, false],
] as const)('a rule with %j where %j: %s', ([condition, circumstances, expected]) => {
  expect(keeps(condition, circumstances)).toBe(expected);
});

test.for([
  ['{', 'is not JSON'],
  ['[]', 'expected object'],
  ['{}', 'defaultAction'],
  ['{"defaultAction":"SCMP_ACT_PERMIT"}', 'defaultAction'],
  ['{"defaultAction":"SCMP_ACT_ALLOW","syscals":[]}', 'syscals'],
  ['{"defaultAction":"SCMP_ACT_ALLOW","architectures":["x86"]}', 'architectures[0]'],
  [
    '{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86"}]}',
    'either "architectures" or "archMap"',
  ],
])('the profile %s is refused', ([text, problem]) => {
  expect(() => parse(text!)).toThrow(problem);
});

test.for([
  [{ action: 'SCMP_ACT_ALLOW' }, 'either "names" or "name"'],
  [{ names: ['a'], name: 'a', action: 'SCMP_ACT_ALLOW' }, 'either "names" or "name"'],
  [{ names: ['a'] }, 'syscalls[0].action'],
  [{ names: ['a'], action: 'SCMP_ACT_ALLOW', arguments: [] }, 'arguments'],
  [{ names: ['a'], action: 'SCMP_ACT_ERRNO', errno: 'ENONSENSE' }, 'syscalls[0].errno'],
  [{ names: ['a'], action: 'SCMP_ACT_ALLOW', args: [{ index: 6, op: 'SCMP_CMP_EQ' }] }, 'args[0].index'],
  [{ names: ['a'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: -1, op: 'SCMP_CMP_EQ' }] }, 'value'],
  [{ names: ['a'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, op: 'EQ' }] }, 'args[0].op'],
] as const)('the rule %j is refused', ([rule, problem]) => {
  const text = JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] });
  expect(() => parse(text)).toThrow(problem);
});
