import { expect, test } from 'vitest';
import { toOciAnnotations, type AnnotatedContainer, type AnnotationRules } from './annotations.ts';

const subject: AnnotatedContainer = {
  name: 'web',
  imageName: 'davit.local/box:latest',
  annotations: {},
  pod: { id: '4f1c', name: 'web-0', namespace: 'default', uid: '7', annotations: {} },
};

/** What is passed on beside what we say ourselves. */
function passed(rules: Partial<AnnotationRules>, pod: object, container: object): object {
  const { pod: own, ...rest } = subject;
  const annotated = {
    ...rest,
    annotations: { ...container },
    pod: { ...own, annotations: { ...pod } },
  };
  const all = toOciAnnotations({ allowed: [], defaults: {}, ...rules }, annotated);
  return Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith('io.kubernetes.cri.')));
}

test('nothing is passed on that is not allowed', () => {
  expect(passed({}, { 'run.oci.keep_original_groups': '1' }, { 'dev.gvisor.flag.debug': 'true' })).toEqual(
    {},
  );
});

test.each([
  ['dev.gvisor.*', 'dev.gvisor.flag.debug', true],
  ['dev.gvisor.*', 'dev.gvisor/flag', false],
  ['dev.gvisor.*', 'devXgvisor.flag', false],
  ['exact.name/x', 'exact.name/x', true],
  ['exact.name/x', 'exact.name/xy', false],
  ['*/trace', 'io.containers/trace', true],
  ['*/*', 'davit.hooks/poststop', false],
])('"%s" and "%s": %s', (pattern, name, isPassed) => {
  expect(passed({ allowed: [pattern] }, { [name]: '1' }, {})).toEqual(isPassed ? { [name]: '1' } : {});
});

test("a container's wins over its pod's, and either over the default", () => {
  const rules = { allowed: ['a', 'b'], defaults: { a: 'default', b: 'default', c: 'default' } };
  expect(passed(rules, { a: 'pod', b: 'pod', c: 'pod' }, { b: 'container' })).toEqual({
    a: 'pod',
    b: 'container',
    c: 'default',
  });
});

test('a pod cannot say whose container it is', () => {
  const name = 'io.kubernetes.cri.sandbox-id';
  const liar = { ...subject, annotations: { [name]: 'of another pod' } };
  const all = toOciAnnotations({ allowed: ['*'], defaults: { [name]: 'x' } }, liar);
  expect(all).toMatchObject({
    'io.kubernetes.cri.sandbox-id': '4f1c',
    'io.kubernetes.cri.sandbox-name': 'web-0',
    'io.kubernetes.cri.sandbox-namespace': 'default',
    'io.kubernetes.cri.sandbox-uid': '7',
    'io.kubernetes.cri.container-name': 'web',
    'io.kubernetes.cri.image-name': 'davit.local/box:latest',
  });
});
