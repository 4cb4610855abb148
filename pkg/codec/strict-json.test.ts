import { expect, test } from 'vitest';
import { parseStrictJson } from './strict-json.ts';

const parse = (text: string): unknown => parseStrictJson(text, 'policy', 'failed_precondition');

test('what is valid is read as JSON.parse() reads it', () => {
  const text = '{"a":[{"a":"{\\"a\\":1,\\"a\\":2}"},{"a":null}],"b":{"a":"x:y","c":{"a":[":"]}}}';
  expect(parse(text)).toEqual(JSON.parse(text));
});

test.each(['{"a":1,"a":2}', '[{"b":{"x":1,"y":{},"x":[]}}]', '{"a":1,"\\u0061":2}'])(
  'a key that is there twice is refused: %s',
  (text) => {
    expect(() => parse(text)).toThrow(/^cannot read policy: the key "[ax]" is there twice in one object$/);
  },
);

test('what is no JSON is refused', () => {
  expect(() => parse('{')).toThrow(/^cannot read policy: it is no JSON: /);
});
