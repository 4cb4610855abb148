// The configuration: what may stand in it, what it means, and what holds without it. The text of
// `davit config default` is made from this schema, so that each option has one home.

import * as z from 'zod';
import { LOG_LEVELS } from '../base/log-level.ts';

const absolutePath = z
  .string()
  .regex(/^\/[^\0]*$/, 'must be an absolute path')
  .refine((path) => !path.split('/').includes('..'), 'must not contain ".."');

const optionalPath = z.union([z.literal(''), absolutePath]).default('');

const count = (min: number, max: number) =>
  z.int(`must be an integer from ${min} to ${max}`).min(min).max(max);

const HANDLER_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

const handler = z.strictObject({
  path: absolutePath.describe('OCI runtime program: runc, crun, or another with their command line'),
  root: z
    .union([z.literal(''), absolutePath])
    .default('')
    .describe('where it keeps its state; empty for a folder of its own below run'),
  options: z
    .array(z.string().min(1))
    .default([])
    .describe('arguments of the program itself, before its command: ["--debug"]'),
  allowed_annotations: z
    .array(z.string().min(1))
    .default([])
    .describe('of pods and containers, which the program is told: names, with * for any characters but /'),
  default_annotations: z
    .record(z.string(), z.string())
    .default({})
    .describe('told to the program where neither pod nor container says otherwise'),
  cni_conf_dir: z
    .union([z.literal(''), absolutePath])
    .default('')
    .describe("network configurations of this handler's pods; empty for those of [cni]"),
  privileged_without_host_devices: z
    .boolean()
    .default(false)
    .describe('whether privileged containers get none of the devices of the node'),
  cgroup_writable: z
    .boolean()
    .default(false)
    .describe(
      'whether containers may divide their own cgroup, as systemd in one must; with cgroup version 2',
    ),
});

const log = z.strictObject({
  level: z
    .enum(LOG_LEVELS)
    .default('info')
    .describe('debug, info, warn or error; lists and status calls are debug'),
});

const cgroup = z.strictObject({
  driver: z
    .enum(['cgroupfs', 'systemd'])
    .default('cgroupfs')
    .describe(
      'cgroupfs or systemd; the kubelet asks for it and follows (systemd where systemd is process 1)',
    ),
  parent: z
    .string()
    .regex(/^\/?[\w.:@-]+(\/[\w.:@-]+)*$/, 'must be a cgroup path')
    .default('/davit')
    .describe('cgroup of pods that name no parent; with the systemd driver a slice such as "davit.slice"'),
});

const cni = z.strictObject({
  conf_dir: absolutePath
    .default('/etc/cni/net.d')
    .describe('network configurations; the first by name is used'),
  bin_dirs: z
    .array(absolutePath)
    .min(1)
    .default(['/opt/cni/bin', '/usr/lib/cni'])
    .describe('where plugins are looked for, in this order'),
  timeout_seconds: count(1, 600).default(60).describe('for one call of one plugin, in seconds'),
});

const image = z.strictObject({
  root: optionalPath.describe(
    'a place of its own for layers, such as another disk; empty for that of root. Set it before the first pull',
  ),
  certs_dirs: z
    .array(absolutePath)
    .default(['/etc/davit/certs.d', '/etc/containerd/certs.d'])
    .describe('registries: HOST/hosts.toml as containerd reads it; the first folder that has HOST counts'),
  pinned: z
    .array(z.string().min(1))
    .default([])
    .describe('images that the kubelet is not to remove: names, or with * for any characters'),
  signature_policy: z
    .union([z.literal(''), absolutePath])
    .default('')
    .describe(
      'which images must be signed by whom: a containers-policy.json, read at each pull; empty for none',
    ),
  max_downloads: count(1, 64)
    .default(6)
    .describe(
      'layers downloaded at the same time; a pull that has none may have one more, up to twice as many',
    ),
  max_unpacks: count(1, 64)
    .default(2)
    .describe('layers unpacked at the same time, while they come, each by a thread; one more as above'),
  max_bytes_per_second: count(0, 100_000_000_000)
    .default(0)
    .describe('of layers, over all pulls, each with the same share; 0 for no limit'),
  min_rate_bytes: count(0, 1_000_000_000)
    .default(10_000)
    .describe('a mirror that gives fewer bytes per second is left for the next host; 0 waits for any'),
  min_rate_window_seconds: count(1, 3600).default(20).describe('over so much waiting is the rate measured'),
});

const perSecond = count(0, 1_000_000_000_000).default(0);

const blockioClass = z.strictObject({
  devices: z.array(absolutePath).default([]).describe('block devices to which the limits apply'),
  weight: count(0, 1000).default(0).describe('share of every disk, 10 to 1000; 0 for the usual one'),
  read_bytes_per_second: perSecond.describe('0 for no limit'),
  write_bytes_per_second: perSecond.describe('0 for no limit'),
  read_operations_per_second: perSecond.describe('0 for no limit'),
  write_operations_per_second: perSecond.describe('0 for no limit'),
});

const runtime = z.strictObject({
  default_handler: z
    .string()
    .regex(HANDLER_NAME)
    .default('runc')
    .describe('handler of pods whose RuntimeClass names none'),
  monitor: absolutePath
    .default('/usr/bin/conmon')
    .describe('conmon: keeps log and exit code of one container'),
  init: absolutePath
    .default('/usr/bin/catatonit')
    .describe('static init, only run in pods that share one pid namespace'),
  timeout_seconds: count(1, 3600)
    .default(240)
    .describe('for one call of an OCI runtime, or of the monitor that calls it, in seconds'),
  unset_seccomp_profile: z
    .enum(['unconfined', 'runtime/default'])
    .default('unconfined')
    .describe('of containers that ask for no seccomp profile: unconfined or runtime/default'),
  seccomp_profile_dir: absolutePath
    .default('/var/lib/kubelet/seccomp')
    .describe('seccomp profiles named by a relative path; the kubelet sends absolute ones'),
  image_volumes: z
    .enum(['bind', 'mkdir', 'ignore'])
    .default('bind')
    .describe(
      'volumes that an image declares: bind (a directory of their own), mkdir (one in the root file system) or ignore',
    ),
  apparmor_parser: absolutePath
    .default('/usr/sbin/apparmor_parser')
    .describe('loads the AppArmor profile of containers, where the kernel has AppArmor'),
  selinux: z
    .boolean()
    .default(true)
    .describe('label pods and containers, where the kernel has SELinux and its policy has labels for them'),
  blockio_classes: z
    .record(z.string(), blockioClass)
    .prefault({})
    .describe('by the name in the annotation blockio.resources.beta.kubernetes.io/pod or /container.NAME'),
  handlers: z
    .record(z.string().regex(HANDLER_NAME, 'must be lower-case letters, digits and dashes'), handler)
    .prefault({ runc: { path: '/usr/sbin/runc' }, crun: { path: '/usr/bin/crun' } })
    .describe('by the name that a RuntimeClass uses'),
});

const cdi = z.strictObject({
  spec_dirs: z
    .array(absolutePath)
    .default(['/etc/cdi', '/var/run/cdi'])
    .describe('where vendors describe their devices; a later folder wins'),
});

const hooks = z.strictObject({
  dirs: z
    .array(absolutePath)
    .default(['/usr/share/containers/oci/hooks.d', '/etc/containers/oci/hooks.d'])
    .describe('hooks of containers, as oci-hooks(5) has them; a later folder wins'),
});

const streaming = z
  .strictObject({
    address: z
      .union([z.ipv4(), z.ipv6()], 'must be an IP address')
      .default('127.0.0.1')
      .describe('where exec, attach and port-forward are served; the kubelet of this node is the client'),
    port: count(0, 65_535).default(0).describe('0 for any that is free'),
    idle_timeout_seconds: count(1, 2_000_000)
      .default(4 * 3600)
      .describe('a stream on which nothing comes or goes for so long is cut'),
    creation_timeout_seconds: count(1, 600)
      .default(30)
      .describe('how long a client may take to open all parts of a stream'),
    tls_cert: optionalPath.describe('certificate, in PEM, read again when it changes; empty for no TLS'),
    tls_key: optionalPath.describe('its key, in PEM, read again when it changes'),
    tls_client_ca: optionalPath.describe('whose certificates clients must have; the kubelet has none'),
    tls_min_version: z.enum(['1.2', '1.3']).default('1.2').describe('of TLS: "1.2" or "1.3"'),
  })
  .refine((given) => (given.tls_cert === '') === (given.tls_key === ''), {
    error: 'must have both tls_cert and tls_key, or neither',
    path: ['tls_key'],
  })
  .refine((given) => given.tls_client_ca === '' || given.tls_cert !== '', {
    error: 'needs tls_cert and tls_key',
    path: ['tls_client_ca'],
  })
  .refine(({ address, tls_cert }) => /^127\.|^::1$/.test(address) || tls_cert !== '', {
    error: 'must be on loopback, or have tls_cert and tls_key',
    path: ['address'],
  });

/** An address of this machine that no other can reach. */
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[::1\]):\d+$/;

const metrics = z
  .strictObject({
    address: z
      .string()
      .regex(
        /^$|^\/[^\0]*$|^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\]):\d{1,5}$/,
        'must be IP:PORT, the absolute path of a socket, or empty',
      )
      .default('')
      .describe(
        'where Prometheus asks: "127.0.0.1:9102", "[::1]:9102" or the path of a socket; empty for none',
      ),
    tls_cert: optionalPath.describe('certificate of the listener, in PEM; needed where others can reach it'),
    tls_key: optionalPath.describe('its key, in PEM'),
    event_loop_resolution_ms: count(1, 1000)
      .default(50)
      .describe('how often the delay of the event loop is looked at; 2 sees more, for 1 % of a processor'),
  })
  .refine((given) => (given.tls_cert === '') === (given.tls_key === ''), {
    error: 'must have both tls_cert and tls_key, or neither',
    path: ['tls_key'],
  })
  .refine(
    ({ address, tls_cert }) =>
      address === '' || address.startsWith('/') || LOOPBACK.test(address) || tls_cert !== '',
    { error: 'must be on loopback, a socket, or have tls_cert and tls_key', path: ['address'] },
  );

const cadvisor = z.strictObject({
  socket: z
    .union([z.literal(''), absolutePath])
    .default('')
    .describe("a socket for the kubelet's cAdvisor, which takes Davit for containerd then; empty for none"),
});

const doctor = z.strictObject({
  interval_seconds: count(10, 86_400)
    .default(600)
    .describe('how often records and node are compared, and what is surely left over is removed'),
});

const tracing = z.strictObject({
  endpoint: z
    .union([z.literal(''), z.url({ protocol: /^https?$/ })])
    .default('')
    .describe('OpenTelemetry collector: "http://127.0.0.1:4318/v1/traces"; empty for none'),
  samples_per_thousand: count(0, 1000)
    .default(0)
    .describe('of calls that come without a trace; those that the kubelet traces are always traced'),
});

export const configSchema = z.strictObject({
  root: absolutePath
    .default('/var/lib/davit')
    .describe('survives a reboot: images, writable layers, database'),
  run: absolutePath.default('/run/davit').describe('does not: bundles, namespaces, exit files, sockets'),
  socket: absolutePath
    .default('/run/davit/davit.sock')
    .describe('the CRI socket, for the kubelet and crictl'),
  log: log.prefault({}),
  cgroup: cgroup.prefault({}),
  cni: cni.prefault({}),
  image: image.prefault({}),
  runtime: runtime.prefault({}),
  cdi: cdi.prefault({}),
  hooks: hooks.prefault({}),
  metrics: metrics.prefault({}),
  cadvisor: cadvisor.prefault({}),
  tracing: tracing.prefault({}),
  doctor: doctor.prefault({}),
  streaming: streaming.prefault({}),
});

export type Config = z.output<typeof configSchema>;
