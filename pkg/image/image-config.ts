// The config of an image: what its author says about running it, and the diff ids of its layers.

import * as z from 'zod';
import { Fault } from '../base/fault.ts';
import { decode } from '../codec/decode.ts';
import { isDigest, type Digest } from './digest.ts';
import { parseJson } from './manifest.ts';

const strings = z.array(z.string()).nullish();
const set = z.record(z.string(), z.unknown()).nullish();

/** Builders write null for what is not set, so every field may be null or missing. */
export const runConfigSchema = z
  .object({
    User: z.string().nullish(),
    Env: strings,
    Entrypoint: strings,
    Cmd: strings,
    WorkingDir: z.string().nullish(),
    StopSignal: z.string().nullish(),
    Volumes: set,
    ExposedPorts: set,
    Labels: z.record(z.string(), z.string()).nullish(),
  })
  .transform((config) => ({
    User: config.User ?? '',
    Env: config.Env ?? [],
    Entrypoint: config.Entrypoint ?? [],
    Cmd: config.Cmd ?? [],
    WorkingDir: config.WorkingDir ?? '',
    StopSignal: config.StopSignal ?? '',
    Volumes: Object.keys(config.Volumes ?? {}),
    Labels: config.Labels ?? {},
  }));

const configSchema = z.object({
  os: z.string().nullish(),
  architecture: z.string().nullish(),
  created: z.string().nullish(),
  config: runConfigSchema.nullish(),
  rootfs: z.object({ diff_ids: z.array(z.string().refine(isDigest, 'must be a digest')).nullish() }),
});

/** What is to run when the pod does not say otherwise. Nothing is missing: empty means not set. */
export type OciImageConfig = z.output<typeof runConfigSchema>;

/** The config blob, as far as we use it. */
export interface ImageConfig {
  readonly run: OciImageConfig;
  /** The lowest first. */
  readonly diffIds: readonly Digest[];
  readonly os: string;
  readonly architecture: string;
  /** RFC 3339, or empty. */
  readonly created: string;
}

/**
 * @param layers how many the manifest has
 * @throws {Fault} data_loss — it is damaged, or does not go with its manifest
 */
export function parseImageConfig(data: Buffer, layers: number, what: string): ImageConfig {
  const parsed = decode(configSchema, parseJson(data, what), what, 'data_loss');
  const diffIds = parsed.rootfs.diff_ids ?? [];
  if (diffIds.length !== layers) {
    throw new Fault('data_loss', `cannot use ${what}: ${diffIds.length} diff ids for ${layers} layers`);
  }
  return {
    run: parsed.config ?? runConfigSchema.parse({}),
    diffIds,
    os: parsed.os ?? '',
    architecture: parsed.architecture ?? '',
    created: parsed.created ?? '',
  };
}
