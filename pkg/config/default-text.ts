// The default configuration as a commented TOML text, for `davit config default`.

import * as z from 'zod';
import { stringify } from 'smol-toml';
import { configSchema } from './config.ts';

/** Every option with its default and what it means; parsed again, it gives the defaults. */
export function defaultConfigText(): string {
  const defaults = configSchema.parse({});
  const lines = ['# The configuration of davit. Everything here is the default.', ''];
  const tables: string[] = [];
  for (const [name, field] of Object.entries(configSchema.shape)) {
    const table = tableOf(field);
    if (table === undefined) lines.push(...option(name, field, defaults[name as keyof typeof defaults]));
    else tables.push(`[${name}]`, ...options(name, table, defaults[name as keyof typeof defaults]));
  }
  return [...lines, ...tables].join('\n');
}

function options(parent: string, table: z.ZodObject, values: unknown): string[] {
  const entries = Object.entries(table.shape).map(([name, field]) => {
    const value = (values as Record<string, unknown>)[name];
    return { name, field: field as z.ZodType, value };
  });
  return [
    ...entries.filter(({ value }) => !isTable(value)).flatMap((e) => option(e.name, e.field, e.value)),
    ...entries
      .filter(({ value }) => isTable(value))
      .flatMap((e) => subtable(parent, e.name, e.field, e.value)),
  ];
}

function option(name: string, field: z.ZodType, value: unknown): string[] {
  return [`# ${field.description ?? ''}`, stringify({ [name]: value }).trimEnd(), ''];
}

function subtable(parent: string, name: string, field: z.ZodType, value: unknown): string[] {
  const inner = entryOf(field);
  const fields = inner === undefined ? [] : Object.entries(inner.shape);
  return [
    `# ${field.description ?? ''}`,
    ...fields.map(([key, { description }]) => `#   ${key}: ${description ?? ''}`),
    stringify({ [parent]: { [name]: value } }).trim(),
    '',
  ];
}

/** What each entry of a table with names of the operator's choice has. */
function entryOf(field: z.ZodType): z.ZodObject | undefined {
  const inner = field instanceof z.ZodPrefault ? field.unwrap() : field;
  return inner instanceof z.ZodRecord && inner.valueType instanceof z.ZodObject ? inner.valueType : undefined;
}

function isTable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function tableOf(field: z.ZodType): z.ZodObject | undefined {
  const inner = field instanceof z.ZodPrefault ? field.unwrap() : field;
  return inner instanceof z.ZodObject ? inner : undefined;
}
