// What the services need of the daemon.

import type { Images } from '../image/images.ts';
import type { PreloadedImages } from '../image/preloaded.ts';
import type { Networks } from '../network/networks.ts';
import type { Container } from '../container/container.ts';
import type { Doctor } from '../pod/doctor/doctor.ts';
import type { PodEvents } from '../pod/events.ts';
import type { Pods } from '../pod/pods.ts';
import type { AppArmor } from '../runtime/apparmor/apparmor.ts';
import type { Selinux } from '../runtime/selinux/selinux.ts';
import type { CdiRegistry } from '../runtime/cdi/registry.ts';
import type { FeatureFinder } from '../runtime/handler-features.ts';
import type { Hooks } from '../runtime/hooks/hooks.ts';
import type { RuntimeHandlers } from '../runtime/handlers.ts';
import type { Stats } from '../stats/stats.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { CgroupDriver } from '../runtime/cgroup-path.ts';
import type { StreamServer } from '../stream/server.ts';
import type { ContainerId, SandboxId } from '../base/id.ts';
import type { Operations } from './operations.ts';

/** All objects of one kind, from memory. */
export interface Records<Id extends string, T> {
  list(): T[];
  find(id: Id): T | undefined;
  findByPrefix(prefix: string): T | undefined;
}

export interface ServerDeps {
  readonly version: string;
  readonly pods: Pods;
  readonly sandboxes: Records<SandboxId, Sandbox>;
  readonly containers: Records<ContainerId, Container>;
  readonly images: Images;
  readonly preloaded: Pick<PreloadedImages, 'list' | 'failures'>;
  readonly networks: Pick<Networks, 'status'>;
  readonly events: PodEvents;
  readonly stats: Stats;
  readonly operations: Operations;
  readonly doctor: Pick<Doctor, 'examine'>;
  readonly handlers: RuntimeHandlers;
  readonly features: FeatureFinder;
  readonly cdi: Pick<CdiRegistry, 'status'>;
  readonly hooks: Pick<Hooks, 'status'>;
  readonly apparmor: Pick<AppArmor, 'expectLoaded' | 'state'>;
  readonly selinux: Pick<Selinux, 'state'>;
  readonly cgroupDriver: CgroupDriver;
  readonly streaming: Pick<StreamServer, 'url'>;
}
