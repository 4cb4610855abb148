// Emits the interfaces of messages and the constants of enums.

import { docstring, type EnumType, type Field, type Message, type Model, type ScalarType } from './model.ts';

const SCALAR_TYPES: Readonly<Record<ScalarType, string>> = {
  string: 'string',
  bytes: 'Buffer',
  bool: 'boolean',
  int32: 'number',
  uint32: 'number',
  double: 'number',
  int64: 'bigint',
  uint64: 'bigint',
};

export function emitTypes(model: Model): string {
  const imports = model.enums.length > 0 ? "import { nameOf } from '../../wire.ts';\n\n" : '';
  return imports + [...model.enums.map(emitEnum), ...model.messages.map(emitMessage)].join('\n');
}

function emitEnum(type: EnumType): string {
  const values = type.values.map(
    (value) => `${docstring(value.comment, '  ')}  ${value.name}: ${value.number},\n`,
  );
  const lookUp = type.name.charAt(0).toLowerCase() + type.name.slice(1) + 'Name';
  return (
    `${docstring(type.comment)}export const ${type.name} = {\n${values.join('')}} as const;\n` +
    `/** Any number may arrive: a newer peer knows more values. */\n` +
    `export type ${type.name} = number;\n` +
    `/** The name of a ${type.name}, or the number itself when it has none here. */\n` +
    `export function ${lookUp}(value: ${type.name}): string {\n  return nameOf(${type.name}, value);\n}\n`
  );
}

function emitMessage(message: Message): string {
  return (
    emitInterface(docstring(message.comment), message.name, message.fields.map(receivedField)) +
    '\n' +
    emitInterface(
      `/** {@link ${message.name}} as it is sent: what is left out has its default value. */\n`,
      `${message.name}Init`,
      message.fields.map(sentField),
    )
  );
}

function emitInterface(doc: string, name: string, fields: readonly string[]): string {
  if (fields.length === 0) return `${doc}export type ${name} = Readonly<Record<never, never>>;\n`;
  return `${doc}export interface ${name} {\n${fields.join('')}}\n`;
}

function receivedField(field: Field): string {
  const missing = field.type.kind === 'message' && !field.repeated ? ' | undefined' : '';
  return `${docstring(field.comment, '  ')}  readonly ${field.name}: ${typeOf(field, 'received')}${missing};\n`;
}

function sentField(field: Field): string {
  return `  readonly ${field.name}?: ${typeOf(field, 'sent')} | undefined;\n`;
}

function typeOf(field: Field, direction: 'sent' | 'received'): string {
  const single = singleTypeOf(field, direction);
  return field.repeated ? `readonly ${single}[]` : single;
}

function singleTypeOf({ type }: Field, direction: 'sent' | 'received'): string {
  switch (type.kind) {
    case 'map':
      return 'Readonly<Record<string, string>>';
    case 'enum':
      return type.name;
    case 'message':
      return direction === 'sent' ? `${type.name}Init` : type.name;
    case 'scalar':
      return type.scalar === 'bytes' && direction === 'sent' ? 'Uint8Array' : SCALAR_TYPES[type.scalar];
  }
}
