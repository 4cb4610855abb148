// The generated code against protobufjs' own reflection on the same .proto: what one writes the other reads.

import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { NO_ENTRIES } from '../wire.ts';
import { lowerCamelCase } from '../../hack/codegen/model.ts';
import * as codecs from './generated/codecs.ts';
import { containerStateName, ContainerState } from './generated/types.ts';

type Value = Record<string, unknown>;
interface Codec {
  readonly encode: (message: unknown) => Buffer;
  readonly decode: (bytes: Uint8Array) => Value;
}

const root = protobuf.parse(readFileSync(new URL('api.proto', import.meta.url), 'utf8'), {
  keepCase: true,
}).root;
root.resolveAll();
const v1 = root.lookup('runtime.v1') as protobuf.Namespace;
const messages = v1.nestedArray.filter((item) => item instanceof protobuf.Type);

function codecOf(type: protobuf.Type): Codec {
  const all = codecs as unknown as Record<string, never>;
  return { encode: all[`encode${type.name}`]!, decode: all[`decode${type.name}`]! };
}

const INT64 = fc.oneof(
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n),
);
const UINT64 = fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.constantFrom(2n ** 63n, 2n ** 64n - 1n));
const TEXT = fc.string({ unit: 'grapheme', maxLength: 60 });
const KEY = fc.oneof(TEXT, fc.constantFrom('__proto__', 'constructor', 'toString', ''));
const SCALARS: Record<string, fc.Arbitrary<unknown>> = {
  string: TEXT,
  bytes: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  bool: fc.boolean(),
  int32: fc.integer(),
  uint32: fc.nat({ max: 2 ** 32 - 1 }),
  double: fc.double({ noNaN: true }),
  int64: INT64,
  uint64: UINT64,
};

function arbitrary(type: protobuf.Type, depth = 0): fc.Arbitrary<Value> {
  const fields = type.fieldsArray.map((field) => [lowerCamelCase(field.name), fieldArbitrary(field, depth)]);
  return fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>);
}

function fieldArbitrary(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  if (field instanceof protobuf.MapField)
    return fc.dictionary(KEY, TEXT, { maxKeys: 4, noNullPrototype: false });
  const single =
    field.resolvedType instanceof protobuf.Type
      ? arbitrary(field.resolvedType, depth + 1)
      : field.resolvedType instanceof protobuf.Enum
        ? fc.oneof(fc.constantFrom(...Object.values(field.resolvedType.values)), fc.nat())
        : SCALARS[field.type]!;
  if (field.repeated) return fc.array(single, { maxLength: depth > 1 ? 1 : 3 });
  return field.resolvedType instanceof protobuf.Type ? fc.option(single, { nil: undefined }) : single;
}

/** What protobufjs' reflection says, in our spelling: its Longs as bigints, its missing messages as undefined. */
function fromReflection(type: protobuf.Type, bytes: Uint8Array): Value {
  const decoded = type.decode(bytes);
  return ours(type, decoded);
}

function ours(type: protobuf.Type, decoded: Value): Value {
  return Object.fromEntries(
    type.fieldsArray.map((field) => {
      const value = decoded[field.name];
      if (field instanceof protobuf.MapField) return [lowerCamelCase(field.name), value];
      const convert = (item: unknown) => ourValue(field, item);
      const name = lowerCamelCase(field.name);
      return [name, field.repeated ? (value as unknown[]).map(convert) : convert(value)];
    }),
  );
}

function ourValue(field: protobuf.Field, value: unknown): unknown {
  if (field.resolvedType instanceof protobuf.Type) {
    return value === null || value === undefined ? undefined : ours(field.resolvedType, value as Value);
  }
  if (field.type === 'int64' || field.type === 'uint64') return BigInt(String(value));
  if (field.type === 'bytes') return Buffer.from(value as Uint8Array);
  return value;
}

/** The reverse: a message of ours in the spelling of the .proto file. */
function theirs(type: protobuf.Type, value: Value): Value {
  const entries = type.fieldsArray.flatMap((field) => {
    const item = value[lowerCamelCase(field.name)];
    if (item === undefined) return [];
    if (field instanceof protobuf.MapField) return [[field.name, item]];
    const convert = (one: unknown) => theirValue(field, one);
    return [[field.name, field.repeated ? (item as unknown[]).map(convert) : convert(item)]];
  });
  return Object.fromEntries(entries) as Value;
}

function theirValue(field: protobuf.Field, value: unknown): unknown {
  if (field.resolvedType instanceof protobuf.Type) return theirs(field.resolvedType, value as Value);
  if (typeof value !== 'bigint') return value;
  const half = (bits: bigint) => Number(BigInt.asIntN(32, bits));
  return { low: half(value), high: half(value >> 32n), unsigned: field.type === 'uint64' };
}

describe.each(messages.map((type) => [type.name, type] as const))('%s', (_name, type) => {
  const { encode, decode } = codecOf(type);

  test('is read as it was written', () => {
    fc.assert(
      fc.property(arbitrary(type), (value) => {
        expect(decode(encode(value))).toEqual(value);
      }),
      { numRuns: 20 },
    );
  });

  test('is read by other implementations, and theirs by us', () => {
    fc.assert(
      fc.property(arbitrary(type), (value) => {
        expect(fromReflection(type, encode(value))).toEqual(value);
        expect(decode(type.encode(type.create(theirs(type, value))).finish())).toEqual(value);
      }),
      { numRuns: 10 },
    );
  });

  test('that is cut short is refused or shorter, and never more than an error', () => {
    fc.assert(
      fc.property(arbitrary(type), fc.nat(), (value, at) => {
        const bytes = encode(value);
        try {
          decode(bytes.subarray(0, at % (bytes.length + 1)));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Error);
        }
      }),
      { numRuns: 10 },
    );
  });

  test('of arbitrary bytes is a message or an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decode(bytes);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Error);
        }
      }),
      { numRuns: 20 },
    );
  });
});

test.each([0n, 1n, -1n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)])(
  'the int64 %s arrives exactly',
  (value) => {
    expect(codecs.decodeInt64Value(codecs.encodeInt64Value({ value }))).toEqual({ value });
  },
);

test.each([0n, 1n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n])('the uint64 %s arrives exactly', (value) => {
  expect(codecs.decodeUInt64Value(codecs.encodeUInt64Value({ value }))).toEqual({ value });
});

test('a number that does not fit is refused, not cut', () => {
  expect(() => codecs.encodeInt64Value({ value: 2n ** 63n })).toThrow('9223372036854775808 is not an int64');
  expect(() => codecs.encodeUInt64Value({ value: -1n })).toThrow('-1 is not a uint64');
});

test('a map may have any key, and its prototype stays what it is: none', () => {
  const labels = JSON.parse('{"__proto__": "a", "constructor": "b", "hasOwnProperty": "c"}') as Record<
    string,
    string
  >;
  const decoded = codecs.decodeContainer(codecs.encodeContainer({ labels }));
  expect(Object.entries(decoded.labels)).toEqual(Object.entries(labels));
  expect(Object.getPrototypeOf(decoded.labels)).toBe(null);
  expect({}).not.toHaveProperty('a');
});

test('fields that were not sent have their default values, and nobody can change the shared ones', () => {
  const { labels, metadata, createdAt, id } = codecs.decodeContainer(Buffer.alloc(0));
  expect({ labels, metadata, createdAt, id }).toEqual({
    labels: {},
    metadata: undefined,
    createdAt: 0n,
    id: '',
  });
  expect(labels).toBe(NO_ENTRIES);
  expect(() => {
    (labels as Record<string, string>)['a'] = 'b';
  }).toThrow(TypeError);
});

test('a field that this version does not know is passed over', () => {
  const unknown = protobuf.Writer.create()
    .uint32((500 << 3) | 2)
    .string('from the future')
    .finish();
  const bytes = Buffer.concat([unknown, codecs.encodeContainer({ id: 'c1' }), unknown]);
  expect(codecs.decodeContainer(bytes)).toEqual(codecs.decodeContainer(codecs.encodeContainer({ id: 'c1' })));
});

test('a message that comes in two parts is merged', () => {
  const parts = [{ metadata: { name: 'web' } }, { metadata: { attempt: 2 } }].map(codecs.encodeContainer);
  expect(codecs.decodeContainer(Buffer.concat(parts)).metadata).toEqual({ name: 'web', attempt: 2 });
});

test('text that is not well-formed is mended, so that the peer can read the rest', () => {
  const { id } = codecs.decodeContainer(codecs.encodeContainer({ id: 'a\ud800b' }));
  expect(id).toBe('a\ufffdb');
});

test('bytes that are no text arrive as they are', () => {
  const value = Buffer.from([0xff, 0x00, 0xfe]);
  expect(codecs.decodeKeyValue(codecs.encodeKeyValue({ key: 'K', value }))).toEqual({ key: 'K', value });
});

test.each([
  ['a length beyond the message', [10, 200, 1, 97]],
  ['a nested message that ends within a field', [18, 2, 10, 5, 97, 98, 99, 100, 101]],
  ['a number without an end', [56, 128, 128]],
  ['a number of eleven bytes', [56, ...Array.from({ length: 11 }, () => 128), 1]],
  ['field number 0', [0, 0]],
  ['an end of a group that has not begun', [12]],
])('%s is an error', (_what, bytes) => {
  expect(() => codecs.decodeContainer(Uint8Array.from(bytes))).toThrow();
});

test('the name of an enum value is found, and a value from the future keeps its number', () => {
  expect(containerStateName(ContainerState.CONTAINER_EXITED)).toBe('CONTAINER_EXITED');
  expect(containerStateName(77)).toBe('77');
});
