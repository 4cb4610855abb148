// A sandbox as JSON. `v` goes up with every change of shape, and the old shape stays readable.

import * as z from 'zod';
import type { SandboxId } from '../base/id.ts';
import { bigintText, toJson } from '../codec/decode.ts';
import { decodeRecord } from '../codec/decode-record.ts';
import { networkConfigListSchema } from '../network/network-config.ts';
import { networkResultSchema } from '../network/result.ts';
import { resourcesSchema } from '../runtime/resources-schema.ts';
import type { Codec } from '../store/record-store.ts';
import type { Sandbox } from './sandbox.ts';

const texts = z.record(z.string(), z.string());
const textList = z.array(z.string());
const port = z.int().min(0).max(65535);

const portMapping = z.strictObject({
  protocol: z.enum(['tcp', 'udp', 'sctp']),
  containerPort: port,
  hostPort: port,
  hostIp: z.string(),
});

const selinuxOptions = z.strictObject({
  user: z.string().optional(),
  role: z.string().optional(),
  type: z.string().optional(),
  level: z.string().optional(),
});

const selinuxLabel = z.string().regex(/^[^:]+:[^:]+:[^:]+(:|$)/);

const config = z.strictObject({
  metadata: z.strictObject({
    name: z.string(),
    uid: z.string(),
    namespace: z.string(),
    attempt: z.int().min(0),
  }),
  hostname: z.string(),
  logDirectory: z.string(),
  dns: z.strictObject({ servers: textList, searches: textList, options: textList }).optional(),
  portMappings: z.array(portMapping),
  labels: texts,
  annotations: texts,
  cgroupParent: z.string(),
  sysctls: texts,
  network: z.enum(['pod', 'node']),
  ipc: z.enum(['pod', 'node']),
  pid: z.enum(['pod', 'container', 'node']),
  userNamespace: z.strictObject({ hostId: z.int().min(1), length: z.int().min(1) }).optional(),
  privileged: z.boolean(),
  selinux: selinuxOptions.optional(), // absent in records of daemons without SELinux
  resources: resourcesSchema.optional(), // absent in records of daemons that did not keep them
  overhead: resourcesSchema.optional(),
  handler: z.string(),
});

const recordV1 = z.strictObject({
  v: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{64}$/),
  config,
  createdAtNs: bigintText,
  cgroupPath: z.string().startsWith('/'),
  podCidr: z.string(),
  selinux: z.strictObject({ process: selinuxLabel, mount: selinuxLabel }).optional(),
  networkConfig: networkConfigListSchema.optional(),
  network: networkResultSchema.optional(),
  state: z.strictObject({ phase: z.enum(['creating', 'ready', 'stopping', 'stopped']) }),
});

export const sandboxCodec: Codec<Sandbox> = {
  encode: (sandbox) => toJson({ v: 1, ...sandbox }),

  decode(json, key) {
    const { v: _, ...record } = decodeRecord(
      { schema: recordV1, latest: 1 },
      json,
      `record of pod sandbox "${key}"`,
    );
    return { ...record, id: record.id as SandboxId };
  },
};
