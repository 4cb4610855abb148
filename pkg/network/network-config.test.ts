import { expect, test } from 'vitest';
import { networkConfigListSchema, parseNetworkConfig } from './network-config.ts';

const LIST = '/c/10-a.conflist';

function parse(config: object, file = LIST) {
  return parseNetworkConfig(JSON.stringify(config), file);
}

test('parseNetworkConfig() reads a list and keeps what only plugins understand', () => {
  const bridge = {
    type: 'bridge',
    bridge: 'b0',
    ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }]] },
  };
  const portmap = { type: 'portmap', capabilities: { portMappings: true } };
  const config = { cniVersion: '0.4.0', cniVersions: ['1.0.0'], name: 'a', plugins: [bridge, portmap] };
  expect(parse({ ...config, disableCheck: true, disableGC: 'true' })).toEqual({
    name: 'a',
    cniVersion: '1.0.0',
    disableCheck: true,
    disableGC: true,
    loadOnlyInlinedPlugins: false,
    plugins: [bridge, portmap],
    file: LIST,
  });
});

test('parseNetworkConfig() makes a list of one from the configuration of one plugin', () => {
  const config = { cniVersion: '0.3.1', name: 'a', type: 'macvlan', master: 'eth0' };
  expect(parse(config, '/c/10-a.conf')).toMatchObject({ name: 'a', cniVersion: '0.3.1', plugins: [config] });
});

test('a parsed list can be stored and read back', () => {
  const { loadOnlyInlinedPlugins: _, ...list } = parse({ name: 'a', plugins: [{ type: 'x', extra: [1] }] });
  expect(networkConfigListSchema.parse(JSON.parse(JSON.stringify(list)))).toEqual(list);
});

test.for([
  ['text that is no JSON', '{"name": "a",', 'is not JSON'],
  ['a list without plugins', '{"name":"a","plugins":[]}', 'plugins'],
  ['a network without a name', '{"plugins":[{"type":"x"}]}', 'name'],
  [
    'a name that is a path',
    '{"name":"../a","plugins":[{"type":"x"}]}',
    'name: must begin with a letter or digit',
  ],
  ['a plugin without a type', '{"name":"a","plugins":[{}]}', 'plugins[0].type'],
  [
    'a type that is a path',
    '{"name":"a","plugins":[{"type":"../sh"}]}',
    'plugins[0].type: must be the name of a file',
  ],
  [
    'a type that is a directory',
    '{"name":"a","plugins":[{"type":".."}]}',
    'plugins[0].type: must be the name of a file',
  ],
  [
    'a version of the future',
    '{"cniVersion":"9.9.9","name":"a","plugins":[{"type":"x"}]}',
    'cniVersion: must be one of',
  ],
  ['only inlined plugins, but none', '{"name":"a","loadOnlyInlinedPlugins":true}', 'plugins: must be there'],
] as const)('parseNetworkConfig() refuses %s', ([, text, problem]) => {
  expect(() => parseNetworkConfig(text, LIST)).toThrow(problem);
});

test('what is said of text that is no JSON has the place, and nothing of the text', () => {
  const parsing = () => parseNetworkConfig('{"name":"a",\n"token":"secret",}', LIST);
  expect(parsing).toThrow(/^cannot read "\/c\/10-a\.conflist":\n {2}is not JSON \(line 2 column 18\)$/);
});

test('parseNetworkConfig() says where a list belongs that stands in the file of a plugin', () => {
  expect(() => parse({ name: 'a', plugins: [{ type: 'x' }] }, '/c/10-a.conf')).toThrow('".conflist"');
});
