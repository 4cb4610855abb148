import { expect, test } from 'vitest';
import { RuntimeHandlers } from './handlers.ts';

const config = {
  handlers: { runc: { path: '/usr/sbin/runc' }, crun: { path: '/usr/bin/crun' } },
  defaultHandler: 'crun',
  runDir: '/run/davit',
  systemdCgroup: false,
};

test('get() finds a handler by its name, and the default by none', () => {
  const handlers = new RuntimeHandlers(config);
  const crun = { name: 'crun', path: '/usr/bin/crun', root: '/run/davit/runtime/crun', systemdCgroup: false };
  expect([handlers.get('crun'), handlers.get('')]).toEqual([crun, crun]);
  expect(handlers.names()).toEqual(['runc', 'crun']);
});

test('get() names the handlers there are when it is asked for another', () => {
  expect(() => new RuntimeHandlers(config).get('kata')).toThrow(
    expect.objectContaining({
      code: 'invalid_argument',
      message: 'unknown runtime handler "kata": there are runc, crun',
    }),
  );
});

test('a default that is no handler is refused', () => {
  expect(() => new RuntimeHandlers({ ...config, defaultHandler: 'kata' })).toThrow('unknown runtime handler');
});
