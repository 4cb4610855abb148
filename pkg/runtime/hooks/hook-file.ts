// One file of a hooks.d folder: which program is run at which moments in the life of which containers.

import { access } from 'node:fs/promises';
import { RE2JS } from 're2js';
import * as z from 'zod';
import { decode } from '../../codec/decode.ts';
import { Fault } from '../../base/fault.ts';
import type { OciHook } from '../oci-spec.ts';
import { HOOK_STAGES, type HookStage } from '../oci-hooks.ts';

export interface HookFile {
  /** `10-nvidia.json` */
  readonly name: string;
  readonly hook: OciHook;
  readonly stages: readonly HookStage[];
  readonly when: HookConditions;
}

/** All that are said must hold; a file that says none holds for nothing. */
export interface HookConditions {
  readonly always?: boolean | undefined;
  readonly hasBindMounts?: boolean | undefined;
  /** For each pair an annotation whose name and value match. */
  readonly annotations: readonly { readonly name: RE2JS; readonly value: RE2JS }[];
  /** One of these matches the program of the container. */
  readonly commands: readonly RE2JS[];
}

/** Regular expressions are those of Go, as in the files that there are; no text can make them slow. */
const pattern = z.string().transform((text, context) => {
  try {
    return RE2JS.compile(text);
  } catch {
    context.addIssue({ code: 'custom', message: `"${text}" is not a regular expression` });
    return z.NEVER;
  }
});

const absolute = z.string().startsWith('/', 'must be an absolute path');

/** Source: oci-hooks(5), version 1.0.0. Unknown fields are left alone, as by CRI-O and Podman. */
const fileSchema = z.object({
  version: z.literal('1.0.0', 'must be "1.0.0"'),
  hook: z.object({
    path: absolute,
    args: z.array(z.string()).optional(),
    env: z.array(z.string()).optional(),
    timeout: z.int().min(1).optional(),
  }),
  when: z.object({
    always: z.boolean().optional(),
    annotations: z.record(z.string(), pattern).default({}),
    commands: z.array(pattern).default([]),
    hasBindMounts: z.boolean().optional(),
  }),
  stages: z.array(z.enum(HOOK_STAGES)),
});

/** @throws {Fault} invalid_argument — it is no such file, or its program is not there */
export async function parseHookFile(name: string, text: string): Promise<HookFile> {
  const { hook, when, stages } = decode(fileSchema, parseJson(text), `hook "${name}"`);
  await access(hook.path).catch((cause: unknown) => {
    throw new Fault('invalid_argument', `its program "${hook.path}" is not there`, { cause });
  });
  const annotations = Object.entries(when.annotations).map(([key, value]) => ({
    name: compile(key),
    value,
  }));
  return { name, hook, stages: stages.map(toStage), when: { ...when, annotations } };
}

/** The same moment under a name of old: as CRI-O has it, so that hooks of both names keep their order. */
function toStage(stage: HookStage): HookStage {
  return stage === 'prestart' ? 'createRuntime' : stage;
}

function compile(text: string): RE2JS {
  try {
    return RE2JS.compile(text);
  } catch (cause) {
    throw new Fault('invalid_argument', `"${text}" is not a regular expression`, { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Fault('invalid_argument', 'it is not JSON', { cause });
  }
}
