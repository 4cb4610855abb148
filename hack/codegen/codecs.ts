// Emits, for each message, straight-line code that writes it and reads it.

import type { Field, FieldType, Message, Model, ScalarType } from './model.ts';

/** How one value is read; the wire type follows from the type. */
const READ: Readonly<Record<ScalarType, string>> = {
  string: 'r.string()',
  bytes: 'wire.readBytes(r)',
  bool: 'r.bool()',
  int32: 'r.int32()',
  uint32: 'r.uint32()',
  double: 'r.double()',
  int64: 'wire.readInt64(r)',
  uint64: 'wire.readUint64(r)',
};

/** How one element of a repeated field is written, default or not. */
const PUT: Readonly<Record<ScalarType, (value: string) => string>> = {
  string: (value) => `wire.putString(w, ${value})`,
  bytes: (value) => `w.bytes(${value})`,
  bool: (value) => `w.bool(${value})`,
  int32: (value) => `w.int32(${value})`,
  uint32: (value) => `w.uint32(${value})`,
  double: (value) => `w.double(${value})`,
  int64: (value) => `wire.putInt64(w, ${value})`,
  uint64: (value) => `wire.putUint64(w, ${value})`,
};

const DEFAULT: Readonly<Record<ScalarType, string>> = {
  string: "''",
  bytes: 'wire.NO_BYTES',
  bool: 'false',
  int32: '0',
  uint32: '0',
  double: '0',
  int64: '0n',
  uint64: '0n',
};

export function emitCodecs(model: Model): string {
  return (
    `import * as wire from '../../wire.ts';\nimport type * as types from './types.ts';\n\n` +
    model.messages.map(emitMessage).join('\n')
  );
}

function emitMessage(message: Message): string {
  const { name } = message;
  return `export function encode${name}(message: types.${name}Init): Buffer {
  const w = wire.writer();
  write${name}(w, message);
  return wire.finish(w);
}

/** @throws {Error} \`bytes\` are cut short or malformed */
export function decode${name}(bytes: Uint8Array): types.${name} {
  const r = wire.reader(bytes);
  return read${name}(r, r.len, undefined);
}

${emitWrite(message)}
${emitRead(message)}
${emitNew(message)}`;
}

/** In the order of the numbers, as other implementations do. */
function emitWrite({ name, fields }: Message): string {
  if (fields.length === 0) {
    return `function write${name}(_w: wire.Writer, _m: types.${name}Init): void {\n  // no fields\n}\n`;
  }
  const statements = fields.toSorted((a, b) => a.id - b.id).map(writeField);
  return `function write${name}(w: wire.Writer, m: types.${name}Init): void {\n${statements.join('')}}\n`;
}

function writeField(field: Field): string {
  const { type } = field;
  const value = `m.${field.name}`;
  if (type.kind === 'map') return `  wire.writeMap(w, ${tagOf(field)}, ${value});\n`;
  if (field.repeated) return writeRepeated(field, value);
  if (type.kind === 'message') {
    return `  if (${value} !== undefined) {\n${putMessage(field, type.name, value, '    ')}  }\n`;
  }
  const scalar = scalarOf(type);
  const writer = `wire.write${scalar.charAt(0).toUpperCase()}${scalar.slice(1)}`;
  return `  ${writer}(w, ${tagOf(field)}, ${value});\n`;
}

function writeRepeated(field: Field, value: string): string {
  const { type } = field;
  if (type.kind === 'message') {
    return `  for (const item of ${value} ?? wire.NO_ITEMS) {\n${putMessage(field, type.name, 'item', '    ')}  }\n`;
  }
  if (type.kind === 'map') throw new Error(`${field.name}: maps do not repeat`);
  const put = PUT[scalarOf(type)]('item');
  const loop = `for (const item of ${value}`;
  if (!isPacked(field)) {
    return `  ${loop} ?? wire.NO_ITEMS) {\n    w.uint32(${tagOf(field)});\n    ${put};\n  }\n`;
  }
  return (
    `  if (${value} !== undefined && ${value}.length > 0) {\n    w.uint32(${tagOf(field)}).fork();\n` +
    `    ${loop}) ${put};\n    w.ldelim();\n  }\n`
  );
}

function putMessage(field: Field, type: string, value: string, indent: string): string {
  return (
    `${indent}w.uint32(${tagOf(field)}).fork();\n` +
    `${indent}write${type}(w, ${value});\n${indent}w.ldelim();\n`
  );
}

/** A message that is sent in parts is merged, as the specification of the format says. */
function emitRead({ name, fields }: Message): string {
  const unused = fields.length === 0 ? '_' : '';
  const loop =
    fields.length === 0
      ? '  while (r.pos < end) wire.skip(r, r.tag());\n'
      : `  while (r.pos < end) {\n    const tag = r.tag();\n    switch (tag) {\n` +
        fields.map(readField).join('') +
        `      default:\n        wire.skip(r, tag);\n    }\n  }\n`;
  const message =
    fields.length === 0
      ? `new${name}()`
      : `(into ?? new${name}()) as wire.Mutable<types.${name}>; // made here before`;
  return (
    `function read${name}(r: wire.Reader, end: number, ${unused}into: types.${name} | undefined): types.${name} {\n` +
    `  const m = ${message}${fields.length === 0 ? ';' : ''}\n${loop}  wire.expectEnd(r, end);\n  return m;\n}\n`
  );
}

function readField(field: Field): string {
  const target = `m.${field.name}`;
  const read = readValue(field, field.repeated ? 'undefined' : target);
  const value = field.repeated ? `wire.append(${target}, ${read})` : read;
  let text = `      case ${tagOf({ ...field, repeated: false })}:\n        ${target} = ${value};\n        break;\n`;
  if (isPacked(field)) {
    const reader = read.startsWith('wire.') ? read.slice(0, read.indexOf('(')) : `(r) => ${read}`;
    const packed = `wire.readPacked(r, ${target}, ${reader})`;
    text += `      case ${tagOf(field)}:\n        ${target} = ${packed};\n        break;\n`;
  }
  return text;
}

function readValue({ name, type }: Field, into: string): string {
  if (type.kind === 'map') return `wire.readEntry(r, m.${name})`;
  if (type.kind === 'message') return `read${type.name}(r, wire.endOf(r), ${into})`;
  return READ[scalarOf(type)];
}

/** Every field is set from the start, in one order: all messages of a type have one shape. */
function emitNew({ name, fields }: Message): string {
  const values = fields.map((field) => `    ${field.name}: ${defaultOf(field)},\n`);
  if (values.length === 0) return `function new${name}(): types.${name} {\n  return {};\n}\n`;
  return `function new${name}(): types.${name} {\n  return {\n${values.join('')}  };\n}\n`;
}

function defaultOf({ type, repeated }: Field): string {
  if (repeated) return 'wire.NO_ITEMS';
  if (type.kind === 'map') return 'wire.NO_ENTRIES';
  if (type.kind === 'message') return 'undefined';
  return DEFAULT[scalarOf(type)];
}

/** An enum travels as an int32. */
function scalarOf(type: Exclude<FieldType, { kind: 'map' | 'message' }>): ScalarType {
  return type.kind === 'enum' ? 'int32' : type.scalar;
}

/** Field number and wire type: 0 varint, 1 eight bytes, 2 a length and what it counts. */
function tagOf(field: Field): number {
  return (field.id << 3) | (isPacked(field) ? 2 : wireTypeOf(field.type));
}

function wireTypeOf(type: FieldType): number {
  if (type.kind === 'map' || type.kind === 'message') return 2;
  const scalar = scalarOf(type);
  if (scalar === 'string' || scalar === 'bytes') return 2;
  return scalar === 'double' ? 1 : 0;
}

/** Numbers that repeat are written one after the other behind one tag; both forms are read. */
function isPacked(field: Field): boolean {
  return field.repeated && wireTypeOf(field.type) !== 2;
}
