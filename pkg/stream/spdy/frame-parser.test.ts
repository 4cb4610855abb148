import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fault } from '../../base/fault.ts';
import { controlFrame, dataFrame, synStream, uint32 } from '../testing/spdy-client.ts';
import { FrameParser, type Frame } from './frame-parser.ts';

const parse = (...chunks: readonly Buffer[]): Frame[] => {
  const parser = new FrameParser();
  return chunks.flatMap((chunk) => [...parser.parse(chunk)]);
};

test('parse() reads the frames of the specification', () => {
  const bytes = Buffer.concat([
    Buffer.from('800300010000000d0000000100000000' + '0000aabbcc', 'hex'),
    Buffer.from('00000001' + '01000003' + '616263', 'hex'),
    Buffer.from('80030006' + '00000004' + '00000007', 'hex'),
    Buffer.from('80030003' + '00000008' + '00000001' + '00000005', 'hex'),
    Buffer.from('80030007' + '00000008' + '0000000000000000', 'hex'),
    Buffer.from('80030009' + '00000008' + '0000000100001000', 'hex'),
    Buffer.from('80030004' + '00000004' + '00000000', 'hex'),
  ]);
  expect(parse(bytes)).toEqual([
    {
      ...{ kind: 'synStream', streamId: 1, fin: false, unidirectional: false },
      headers: Buffer.from('aabbcc', 'hex'),
    },
    { kind: 'data', streamId: 1, payload: Buffer.from('abc'), fin: true },
    { kind: 'ping', id: 7 },
    { kind: 'reset', streamId: 1 },
    { kind: 'goAway' },
    { kind: 'ignored' },
    { kind: 'ignored' },
  ]);
});

test('parse() hands on data before its frame is complete, and its end with the last of it', () => {
  const bytes = dataFrame(3, Buffer.from('abcdef'), 1);
  expect(parse(bytes.subarray(0, 10), bytes.subarray(10))).toEqual([
    { kind: 'data', streamId: 3, payload: Buffer.from('ab'), fin: false },
    { kind: 'data', streamId: 3, payload: Buffer.from('cdef'), fin: true },
  ]);
});

test('parse() reads an end without data', () => {
  const end = { kind: 'data', streamId: 1, payload: Buffer.alloc(0), fin: true };
  expect(parse(dataFrame(1, Buffer.alloc(0), 1))).toEqual([end]);
});

test.for([
  ['another version', Buffer.from('8002000600000004', 'hex'), 'version 2'],
  ['a control frame that is too long', Buffer.from('8003000100ffffff', 'hex'), '16777215 bytes'],
  ['data of stream 0', dataFrame(0, Buffer.from('x'), 0), 'stream 0'],
  ['a reply to nothing', controlFrame(2, 0, uint32(1)), 'never opened'],
  ['an opening without a stream', controlFrame(1, 0, uint32(1)), 'only 4 bytes'],
  ['a ping without a number', controlFrame(6, 0, Buffer.alloc(3)), 'only 3 bytes'],
] as const)('parse() refuses %s', ([, bytes, why]) => {
  expect(() => parse(bytes)).toThrow(why);
});

const someFrame = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 0x7fffffff }), fc.uint8Array({ maxLength: 300 }), fc.boolean())
    .map(([id, data, fin]) => dataFrame(id, Buffer.from(data), fin ? 1 : 0)),
  fc
    .tuple(fc.integer({ min: 1, max: 99 }), fc.uint8Array({ maxLength: 40 }))
    .map(([id, headers]) => synStream(id, 0, Buffer.from(headers))),
  fc.integer({ min: 0, max: 0x7fffffff }).map((id) => controlFrame(6, 0, uint32(id))),
);

/** As if data always came in one piece. */
function joined(frames: readonly Frame[]): unknown[] {
  const all: { kind: string; streamId?: number; bytes?: string }[] = [];
  for (const frame of frames) {
    const last = all.at(-1);
    if (frame.kind !== 'data') all.push({ ...frame, bytes: '' });
    else if (last?.kind === 'data' && last.streamId === frame.streamId) {
      last.bytes = `${last.bytes ?? ''}${frame.payload.toString('hex')}${frame.fin ? '!' : ''}`;
    } else {
      const bytes = `${frame.payload.toString('hex')}${frame.fin ? '!' : ''}`;
      all.push({ kind: 'data', streamId: frame.streamId, bytes });
    }
  }
  return all;
}

test('parse() gives the same frames however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(someFrame, { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      (frames, cuts) => {
        const bytes = Buffer.concat(frames);
        const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
        const chunks = [0, ...places].map((at, index) =>
          bytes.subarray(at, [...places, bytes.length][index]),
        );
        expect(joined(parse(...chunks))).toEqual(joined(parse(bytes)));
      },
    ),
  );
});

test('parse() either reads arbitrary bytes or refuses them, and keeps little', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 40 }), (chunks) => {
      try {
        parse(...chunks.map((chunk) => Buffer.from(chunk)));
      } catch (error) {
        expect(error).toBeInstanceOf(Fault);
      }
    }),
    { numRuns: 2000 },
  );
});
