// Builds the daemon's objects, lowest layer first, and brings records and node in line before anyone may ask.

import { join } from 'node:path';
import { timeOfDayNs } from '../../pkg/base/clock.ts';
import type { Log } from '../../pkg/base/call.ts';
import type { Observe } from '../../pkg/base/outcome.ts';
import type { ImageId, SandboxId } from '../../pkg/base/id.ts';
import type { Config } from '../../pkg/config/config.ts';
import { imagesUsed } from '../../pkg/container/images-used.ts';
import { Images } from '../../pkg/image/images.ts';
import { PreloadedImages } from '../../pkg/image/preloaded.ts';
import { watchPolicy } from '../../pkg/image/signature/policy-watch.ts';
import type { OwnMetrics } from '../../pkg/metrics/own-metrics.ts';
import type { Doctor } from '../../pkg/pod/doctor/doctor.ts';
import { PodEvents } from '../../pkg/pod/events.ts';
import { AppArmor } from '../../pkg/runtime/apparmor/apparmor.ts';
import { FeatureFinder } from '../../pkg/runtime/handler-features.ts';
import { RuntimeHandlers } from '../../pkg/runtime/handlers.ts';
import { Selinux } from '../../pkg/runtime/selinux/selinux.ts';
import { OciCli } from '../../pkg/runtime/runtime-cli.ts';
import { sandboxPaths } from '../../pkg/sandbox/paths.ts';
import type { ServerDeps } from '../../pkg/server/deps.ts';
import { Operations } from '../../pkg/server/operations.ts';
import { Stats } from '../../pkg/stats/stats.ts';
import { Database } from '../../pkg/store/database.ts';
import { Quarantine } from '../../pkg/store/quarantine.ts';
import { Cgroups } from '../../pkg/sys/cgroup.ts';
import { findBoot, type Boot } from './boot.ts';
import { findKernelFeatures, findNodeFacts } from './node-facts.ts';
import { PodCidr } from './pod-cidr.ts';
import { countExit } from './open-metrics.ts';
import { openAdjusters } from './open-adjusters.ts';
import { openNetworks } from './open-networks.ts';
import { openStreaming } from './open-streaming.ts';
import { openDoctor } from './open-doctor.ts';
import { openPods } from './open-pods.ts';
import { loadContainers, loadSandboxes, type Containers, type Sandboxes } from './records.ts';
import { registryOptions } from './registry-options.ts';
import { VERSION } from './version.ts';

/** What works without being asked. */
interface Background {
  readonly preloaded: PreloadedImages;
  readonly doctor: Doctor;
}

/** Everything of the daemon but the server in front of it. */
export class Daemon implements AsyncDisposable {
  readonly serverDeps: ServerDeps;
  readonly #background: Background;
  readonly #owned: AsyncDisposableStack;

  private constructor(serverDeps: ServerDeps, background: Background, owned: AsyncDisposableStack) {
    this.serverDeps = serverDeps;
    this.#background = background;
    this.#owned = owned;
  }

  /** When it returns, every state that can be asked for is true. */
  static async open(config: Config, log: Log, counts: OwnMetrics): Promise<Daemon> {
    await using opening = new AsyncDisposableStack();
    const db = opening.use(await openDatabase(config, log, counts));
    const boot = await findBoot(db);
    opening.defer(() => boot.end(writtenBy(config))); // after all that writes, before the database
    const copies = { dir: join(config.run, 'records'), log };
    const sandboxes = await loadSandboxes(db, copies);
    const containers = await loadContainers(db, copies);
    const events = toEvents(sandboxes, containers, counts);
    const images = opening.use(await openImages(config, { db, boot, log, containers, counts }));
    const networks = await openNetworks(config, { log, counts, owned: opening });
    const stats = opening.use(await openStats(config, log));
    const cgroups = await Cgroups.detect();
    const handlers = toHandlers(config);
    const facts = await findNodeFacts(config, cgroups);
    const apparmor = new AppArmor({ parser: config.runtime.apparmor_parser });
    const selinux = await Selinux.open({ wanted: config.runtime.selinux, log });
    const cli = new OciCli({
      swapAccounting: facts.swapAccounting,
      timeoutMs: config.runtime.timeout_seconds * 1000,
    });
    const features = new FeatureFinder({ handlers, cli, kernel: await findKernelFeatures(config, log) });
    const { cdi, hooks, adjust } = await openAdjusters(config, { log, features, owned: opening });
    const shared = { config, log, sandboxes, containers, cgroups, handlers, counts };
    const podCidr = await PodCidr.load(db, sandboxes.list());
    const { pods, repairs } = await openPods({
      ...shared,
      ...{ images, networks, facts, features, apparmor, selinux, adjust, podCidr },
      sameBoot: boot.isSame,
      owned: opening,
    });
    await boot.remember();
    const cgroupDriver = config.cgroup.driver;
    const preloaded = opening.use(await openPreloaded(config, { db, images, log, owned: opening }));
    const quarantine = await Quarantine.open(db);
    const doctor = opening.use(openDoctor({ ...shared, ...repairs, quarantine, networks, images }));
    const deps: ServerDeps = {
      version: VERSION,
      pods,
      sandboxes,
      containers,
      images,
      preloaded,
      networks: networks.common,
      events,
      stats,
      operations: new Operations(),
      doctor,
      handlers,
      features,
      apparmor,
      selinux,
      cdi,
      hooks,
      cgroupDriver,
      streaming: opening.use(await openStreaming(config, { backend: pods.streams, log })),
    };
    return new Daemon(deps, { preloaded, doctor }, opening.move());
  }

  /** Begins what need not be done before the first answer. */
  async start(): Promise<void> {
    this.serverDeps.images.start();
    this.#background.doctor.start();
    await this.#background.preloaded.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

async function openPreloaded(
  { root, image }: Config,
  { db, images, log, owned }: { db: Database; images: Images; log: Log; owned: AsyncDisposableStack },
): Promise<PreloadedImages> {
  const preloaded = await PreloadedImages.open({ db, dir: join(root, 'images.d'), images, log });
  images.onDamage(() => {
    preloaded.lookAgain();
  });
  if (image.signature_policy !== '') {
    const retry = () => {
      preloaded.retryFailed();
    };
    owned.use(await watchPolicy(image.signature_policy, log, retry));
  }
  return preloaded;
}

function openDatabase({ root }: Config, log: Log, counts: OwnMetrics): Promise<Database> {
  const observe: Observe = (outcome, tookMs) => {
    counts.commit(outcome, tookMs);
  };
  return Database.open(join(root, 'db'), { observe, log, version: VERSION });
}

/** Directories, on one file system or on several. */
function writtenBy({ root, image }: Config): string[] {
  return image.root === '' ? [root] : [root, image.root];
}

interface ImagesParts {
  readonly db: Database;
  readonly boot: Boot;
  readonly log: Log;
  readonly containers: Containers;
  readonly counts: OwnMetrics;
}

function openImages(config: Config, { db, boot, log, containers, counts }: ImagesParts): Promise<Images> {
  return Images.open({
    db,
    boot,
    log,
    root: config.root,
    runDir: config.run,
    ...(config.image.root !== '' && { layersRoot: config.image.root }),
    registries: registryOptions(config.image),
    pinned: config.image.pinned,
    signaturePolicy: config.image.signature_policy,
    concurrency: { downloads: config.image.max_downloads, unpacks: config.image.max_unpacks },
    maxBytesPerSecond: config.image.max_bytes_per_second,
    isInUse: (id: ImageId) => containers.list().some((container) => imagesUsed(container).has(id)),
    observer: {
      pulled: (outcome, tookMs) => {
        counts.pull(outcome, tookMs);
      },
      layers: (layers) => {
        counts.layers(layers);
      },
      retried: (count) => {
        counts.pullRetries(count);
      },
    },
  });
}

/** Told of from the first change on, those of the recovery included. */
function toEvents(sandboxes: Sandboxes, containers: Containers, counts: OwnMetrics): PodEvents {
  const events = new PodEvents({ sandboxes, containers, now: timeOfDayNs });
  sandboxes.onChange((before, after) => {
    events.sandboxChanged(before, after);
  });
  containers.onChange((before, after) => {
    events.containerChanged(before, after);
    countExit(counts, before, after);
  });
  return events;
}

function openStats({ root, run }: Config, log: Log): Promise<Stats> {
  return Stats.open({
    networkPath: (id) => join(sandboxPaths(run, id as SandboxId).namespaces, 'net'),
    layerPath: (id) => join(root, 'snapshots', id, 'fs'),
    layersRoot: root,
    log,
  });
}

function toHandlers({ runtime, run, cgroup }: Config): RuntimeHandlers {
  return new RuntimeHandlers({
    handlers: runtime.handlers,
    defaultHandler: runtime.default_handler,
    runDir: run,
    systemdCgroup: cgroup.driver === 'systemd',
  });
}
