// A container as JSON. `v` goes up with every change of shape, and the old shape stays readable.

import * as z from 'zod';
import type { ContainerId, ImageId, SandboxId } from '../base/id.ts';
import { bigintText, toJson } from '../codec/decode.ts';
import { decodeRecord } from '../codec/decode-record.ts';
import { resourcesSchema } from '../runtime/resources-schema.ts';
import type { Codec } from '../store/record-store.ts';
import type { Container, ContainerMount } from './container.ts';
import type { ContainerState } from './phase.ts';

const id = z.string().regex(/^[0-9a-f]{64}$/);
const texts = z.record(z.string(), z.string());
const uid = z.int().min(0);

const process = z.strictObject({
  pid: z.int().min(2), // never 1 or below: see sys/process.ts
  startTicks: z.string(),
});
const alive = { process, shim: process };
const running = { ...alive, startedAtNs: bigintText };

const exited = z.strictObject({
  phase: z.literal('exited'),
  exitCode: z.int().min(0).max(255),
  startedAtNs: bigintText,
  finishedAtNs: bigintText,
  reason: z.string(),
  message: z.string(),
});

const state = z.discriminatedUnion('phase', [
  z.strictObject({ phase: z.literal('creating') }),
  z.strictObject({ phase: z.literal('created'), ...alive }),
  z.strictObject({ phase: z.literal('starting'), ...running }),
  z.strictObject({ phase: z.literal('running'), ...running }),
  z.strictObject({
    phase: z.literal('stopping'),
    ...running,
    killAtUptimeMs: z.number().optional(),
    killAtMs: z.number().optional(), // instead of it in older records: the time of day
    signalled: z.boolean(),
  }),
  exited,
  z.strictObject({ phase: z.literal('lost'), ...running }),
  z.strictObject({ phase: z.literal('removing'), last: exited.optional() }),
]);

const mount = z.strictObject({
  containerPath: z.string(),
  hostPath: z.string(),
  image: z
    .strictObject({ name: z.string(), userSpecified: z.string(), id: z.string(), subPath: z.string() })
    .optional(), // absent in records of daemons that could not mount images
  readonly: z.boolean(),
  recursiveReadOnly: z.boolean(),
  propagation: z.enum(['private', 'host_to_container', 'bidirectional']),
  selinuxRelabel: z.boolean(),
  options: z.array(z.string()).optional(), // absent in records of daemons that took none
  idMapping: z.strictObject({ hostId: z.int().min(1), length: z.int().min(1) }).optional(),
});

const recordV1 = z.strictObject({
  v: z.literal(1),
  id,
  sandboxId: id,
  metadata: z.strictObject({ name: z.string(), attempt: z.int().min(0) }),
  image: z.strictObject({ name: z.string(), userSpecified: z.string(), id: z.string() }),
  labels: texts,
  annotations: texts,
  mounts: z.array(mount),
  logPath: z.string(),
  tty: z.boolean(),
  stdinOnce: z.boolean().default(false), // older records have none
  resources: resourcesSchema.optional(),
  user: z.strictObject({ uid, gid: uid, supplementalGroups: z.array(uid) }).optional(),
  stopSignal: z.string(),
  handler: z.string(),
  ownPidNamespace: z.boolean(),
  cgroupPath: z.string().startsWith('/'),
  createdAtNs: bigintText,
  state,
});

function toMount({ image, ...rest }: z.infer<typeof mount>): ContainerMount {
  return image === undefined ? rest : { ...rest, image: { ...image, id: image.id as ImageId } };
}

/** A stop whose time was written by the time of day has no more: that clock may have been set since. */
function toState(read: z.infer<typeof state>): ContainerState {
  if (read.phase === 'removing') return { phase: 'removing', last: read.last };
  if (read.phase !== 'stopping') return read;
  const { killAtMs: _, killAtUptimeMs = 0, ...rest } = read;
  return { ...rest, killAtUptimeMs };
}

export const containerCodec: Codec<Container> = {
  encode: (container) => toJson({ v: 1, ...container }),

  decode(json, key) {
    const { v: _, ...record } = decodeRecord(
      { schema: recordV1, latest: 1 },
      json,
      `record of container "${key}"`,
    );
    return {
      ...record,
      id: record.id as ContainerId,
      sandboxId: record.sandboxId as SandboxId,
      image: { ...record.image, id: record.image.id as ImageId },
      mounts: record.mounts.map(toMount),
      state: toState(record.state),
    };
  },
};
