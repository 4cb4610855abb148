// Reads a .proto file into just what the emitters need. What our files do not use, it refuses by name,
// rather than guess.

import protobuf from 'protobufjs';

export type ScalarType = 'string' | 'bytes' | 'bool' | 'int32' | 'uint32' | 'double' | 'int64' | 'uint64';

export type FieldType =
  | { readonly kind: 'scalar'; readonly scalar: ScalarType }
  | { readonly kind: 'enum'; readonly name: string }
  | { readonly kind: 'message'; readonly name: string }
  | { readonly kind: 'map' }; // of strings to strings

export interface Field {
  /** As TypeScript spells it: `podSandboxId`. */
  readonly name: string;
  readonly id: number;
  readonly repeated: boolean;
  readonly type: FieldType;
  readonly comment: string | undefined;
}

export interface Message {
  readonly name: string;
  /** In the order of the file. */
  readonly fields: readonly Field[];
  readonly comment: string | undefined;
}

export interface EnumType {
  readonly name: string;
  readonly values: readonly { readonly name: string; readonly number: number; readonly comment?: string }[];
  readonly comment: string | undefined;
}

export interface Rpc {
  /** As the specification spells it: `RunPodSandbox`. */
  readonly name: string;
  /** As TypeScript spells it: `runPodSandbox`. */
  readonly method: string;
  readonly request: string;
  readonly response: string;
  readonly stream: boolean;
  readonly comment: string | undefined;
}

export interface Service {
  readonly name: string;
  readonly fullName: string;
  readonly rpcs: readonly Rpc[];
  readonly comment: string | undefined;
}

export interface Model {
  readonly messages: readonly Message[];
  readonly enums: readonly EnumType[];
  readonly services: readonly Service[];
}

const SCALARS: ReadonlySet<string> = new Set<ScalarType>([
  'string',
  'bytes',
  'bool',
  'int32',
  'uint32',
  'double',
  'int64',
  'uint64',
]);

/** @throws {Error} the text is not proto3, or uses what the emitters do not know */
export function readModel(text: string): Model {
  const parsed = protobuf.parse(text, { keepCase: true, alternateCommentMode: true });
  const root = parsed.root.resolveAll();
  const model = {
    messages: [] as Message[],
    enums: [] as EnumType[],
    services: [] as Service[],
  };
  collect(root, model);
  return model;
}

function collect(
  namespace: protobuf.NamespaceBase,
  into: { messages: Message[]; enums: EnumType[]; services: Service[] },
): void {
  for (const item of namespace.nestedArray) {
    if (item instanceof protobuf.Type) {
      into.messages.push(toMessage(item));
      collect(item, into);
    } else if (item instanceof protobuf.Enum) into.enums.push(toEnum(item));
    else if (item instanceof protobuf.Service) into.services.push(toService(item));
    else if (item instanceof protobuf.Namespace) collect(item, into);
    else throw new Error(`${item.fullName}: this kind of definition is not supported`);
  }
}

function toMessage(type: protobuf.Type): Message {
  if (type.oneofsArray.length > 0) throw new Error(`${type.fullName}: oneof and optional are not supported`);
  return {
    name: typeName(type),
    fields: type.fieldsArray.map(toField),
    comment: type.comment ?? undefined,
  };
}

function toField(field: protobuf.Field): Field {
  return {
    name: lowerCamelCase(field.name),
    id: field.id,
    repeated: field.repeated,
    type: toFieldType(field),
    comment: field.comment ?? undefined,
  };
}

function toFieldType(field: protobuf.Field): FieldType {
  if (field instanceof protobuf.MapField) {
    if (field.keyType === 'string' && field.type === 'string') return { kind: 'map' };
  } else if (field.resolvedType instanceof protobuf.Enum) {
    return { kind: 'enum', name: typeName(field.resolvedType) };
  } else if (field.resolvedType !== null) {
    return { kind: 'message', name: typeName(field.resolvedType) };
  } else if (SCALARS.has(field.type)) {
    return { kind: 'scalar', scalar: field.type as ScalarType }; // just looked up
  }
  throw new Error(`${field.fullName}: fields of type ${field.type} are not supported`);
}

function toEnum(type: protobuf.Enum): EnumType {
  const values = Object.entries(type.values).map(([name, number]) => {
    const comment = type.comments[name];
    return comment ? { name, number, comment } : { name, number };
  });
  return { name: typeName(type), values, comment: type.comment ?? undefined };
}

function toService(service: protobuf.Service): Service {
  return {
    name: service.name,
    fullName: service.fullName.slice(1),
    rpcs: service.methodsArray.map(toRpc),
    comment: service.comment ?? undefined,
  };
}

function toRpc(method: protobuf.Method): Rpc {
  if (method.requestStream) throw new Error(`${method.fullName}: streams of requests are not supported`);
  if (!method.resolvedRequestType || !method.resolvedResponseType) throw new Error(method.fullName);
  return {
    name: method.name,
    method: method.name.charAt(0).toLowerCase() + method.name.slice(1),
    request: typeName(method.resolvedRequestType),
    response: typeName(method.resolvedResponseType),
    stream: method.responseStream === true,
    comment: method.comment ?? undefined,
  };
}

/** `ProfileType` within `SecurityProfile` is `SecurityProfileProfileType`. */
function typeName(type: protobuf.Type | protobuf.Enum): string {
  return type.parent instanceof protobuf.Type ? typeName(type.parent) + type.name : type.name;
}

/** `pod_sandbox_id` is `podSandboxId`, `CDI_devices` is `cdiDevices`, `Full` is `full`. */
export function lowerCamelCase(name: string): string {
  return name
    .split('_')
    .map((word, index) => {
      if (index > 0) return word.charAt(0).toUpperCase() + word.slice(1);
      return word === word.toUpperCase() ? word.toLowerCase() : word.charAt(0).toLowerCase() + word.slice(1);
    })
    .join('');
}

/** A docstring, indented by `indent`; empty when there is no comment. */
export function docstring(comment: string | undefined, indent = ''): string {
  if (comment === undefined || comment === '') return '';
  const lines = comment.split('\n').map((line) => line.trim().replaceAll('*/', '* /'));
  if (lines.length === 1) return `${indent}/** ${lines.join('')} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd() + '\n').join('')}${indent} */\n`;
}
