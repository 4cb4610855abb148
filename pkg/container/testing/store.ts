// Containers in memory, with a note of every phase that was put on disk.

import { notFound } from '../../base/fault.ts';
import type { ContainerId } from '../../base/id.ts';
import type { Container } from '../container.ts';

export class FakeStore {
  readonly phases: string[] = [];
  readonly #byId = new Map<ContainerId, Container>();

  constructor(...containers: readonly Container[]) {
    for (const container of containers) this.#byId.set(container.id, container);
  }

  find(id: ContainerId): Container | undefined {
    return this.#byId.get(id);
  }

  get(id: ContainerId): Container {
    const found = this.#byId.get(id);
    if (found === undefined) throw notFound('container', id);
    return found;
  }

  put(container: Container): Promise<void> {
    this.#byId.set(container.id, container);
    this.phases.push(container.state.phase);
    return Promise.resolve();
  }
}
