// The text of a network configuration file, and the list of plugins that it means. What a plugin's own
// configuration says beyond `type` and `capabilities` is the plugin's business and passed on as it is.

import * as z from 'zod';
import { decode } from '../codec/decode.ts';
import { CNI_VERSIONS, selectVersion } from './cni-version.ts';

/** The pattern of the CNI specification for names that end up in paths. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

const name = z
  .string()
  .max(255)
  .regex(NAME, 'must begin with a letter or digit and contain only those, "_", "." and "-"');

/** One file name: a plugin's type must not lead out of the plugin directories. */
const pluginType = z
  .string()
  .min(1)
  .max(255)
  .refine((type) => isFileName(type), 'must be the name of a file, without a path');

const pluginSchema = z.looseObject({
  type: pluginType,
  capabilities: z.record(z.string(), z.boolean()).optional(),
});

/** One plugin's configuration, with whatever else it says. */
export type PluginConfig = z.output<typeof pluginSchema>;

/** A network as the record of a sandbox keeps it: DEL must run with what ADD ran with. */
export const networkConfigListSchema = z.object({
  name,
  /** The version spoken with the plugins. */
  cniVersion: z.enum(CNI_VERSIONS),
  disableCheck: z.boolean(),
  disableGC: z.boolean(),
  plugins: z.array(pluginSchema).min(1),
  /** Where it was read, for messages: `/etc/cni/net.d/10-davit.conflist`. */
  file: z.string(),
});

export type NetworkConfigList = z.output<typeof networkConfigListSchema>;

/** `"true"` is no boolean, but widespread. */
const flag = z.union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })]).default(false);

const listFileSchema = z
  .object({
    name,
    cniVersion: z.string().optional(),
    cniVersions: z.array(z.string()).optional(),
    disableCheck: flag,
    disableGC: flag,
    loadOnlyInlinedPlugins: flag,
    plugins: z.array(pluginSchema).min(1).optional(),
  })
  .refine((list) => list.plugins !== undefined || !list.loadOnlyInlinedPlugins, {
    path: ['plugins'],
    message: 'must be there when "loadOnlyInlinedPlugins" is true',
  });

const singleFileSchema = z
  .looseObject({ name, cniVersion: z.string().optional(), plugins: z.unknown().optional() })
  .refine((single) => single.plugins === undefined, {
    path: ['plugins'],
    message: 'a list of plugins belongs in a file whose name ends in ".conflist"',
  });

/** What a `.conflist` says; `plugins` may have to be completed from the folder of the network's name. */
export interface ParsedConfig extends Omit<NetworkConfigList, 'plugins'> {
  readonly plugins: PluginConfig[];
  readonly loadOnlyInlinedPlugins: boolean;
}

/**
 * Parses a network configuration: a list when `file` ends in `.conflist`, else that of a single plugin.
 *
 * @throws {Fault} invalid_argument — the text is no JSON, or breaks a rule of the CNI specification
 */
export function parseNetworkConfig(text: string, file: string): ParsedConfig {
  const json = parseJson(text, file);
  const what = `network configuration "${file}"`;
  if (file.endsWith('.conflist')) {
    const { cniVersion, cniVersions, plugins, ...list } = decode(listFileSchema, json, what);
    return { ...list, cniVersion: knownVersion(what, cniVersion, cniVersions), plugins: plugins ?? [], file };
  }
  const { name, cniVersion } = decode(singleFileSchema, json, what);
  return {
    name,
    cniVersion: knownVersion(what, cniVersion),
    disableCheck: false,
    disableGC: false,
    loadOnlyInlinedPlugins: true,
    plugins: [decode(pluginSchema, json, what)],
    file,
  };
}

/**
 * Parses the configuration of one plugin that stands in a file of its own.
 *
 * @throws {Fault} invalid_argument — the text is no JSON, or has no valid `type`
 */
export function parsePluginConfig(text: string, file: string): PluginConfig {
  return decode(pluginSchema, parseJson(text, file), `plugin configuration "${file}"`);
}

function parseJson(text: string, file: string): unknown {
  return decode(jsonText, text, `"${file}"`);
}

const jsonText = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch (err) {
    const where = /\(line \d+ column \d+\)/.exec((err as Error).message)?.[0] ?? ''; // JSON.parse() throws SyntaxError
    context.addIssue({ code: 'custom', message: `is not JSON ${where}`.trimEnd() }); // its message quotes the file
    return z.NEVER;
  }
});

function knownVersion(what: string, cniVersion?: string, cniVersions?: string[]) {
  const offered = z.object({
    cniVersion: z.string().optional(),
    cniVersions: z.array(z.string()).optional(),
  });
  const version = offered.transform((said, context) => {
    const selected = selectVersion(said.cniVersion, said.cniVersions);
    if (selected !== undefined) return selected;
    context.addIssue({
      code: 'custom',
      path: ['cniVersion'],
      message: `must be one of ${CNI_VERSIONS.join(', ')}`,
    });
    return z.NEVER;
  });
  return decode(version, { cniVersion, cniVersions }, what);
}

function isFileName(text: string): boolean {
  return text !== '.' && text !== '..' && !/[/\\\0]/.test(text);
}
