import { expect, test } from 'vitest';
import { RuntimeHandlers } from './handlers.ts';
import { globalArgs } from './runtime-cli.ts';
import { handlerConfig } from './testing/handler.ts';

const config = {
  handlers: {
    runc: handlerConfig('/usr/sbin/runc', { root: '/run/runc', options: ['--debug'] }),
    crun: handlerConfig('/usr/bin/crun'),
  },
  defaultHandler: 'crun',
  runDir: '/run/davit',
  systemdCgroup: false,
};

test('get() finds a handler by its name, and the default by none', () => {
  const handlers = new RuntimeHandlers(config);
  const crun = {
    name: 'crun',
    path: '/usr/bin/crun',
    root: '/run/davit/runtime/crun',
    systemdCgroup: false,
    options: [],
    annotations: { allowed: [], defaults: {} },
    privilegedWithoutHostDevices: false,
    cgroupWritable: false,
  };
  expect([handlers.get('crun'), handlers.get('')]).toEqual([crun, crun]);
  expect(handlers.names()).toEqual(['runc', 'crun']);
});

test('a handler has the root and the options that it is given', () => {
  const runc = new RuntimeHandlers(config).get('runc');
  expect(globalArgs(runc)).toEqual(['--root', '/run/runc', '--debug']);
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
