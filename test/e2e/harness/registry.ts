// A real registry (docker-registry of the distribution) on a port of its own, with its files at hand: what it
// serves can be damaged.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import type { BuiltImage, Blob } from './image-builder.ts';
import { TESTS_OWN } from './node-processes.ts';
import type { Place } from './place.ts';

export class Registry implements AsyncDisposable {
  /** `127.0.0.1:40123` */
  readonly host: string;
  readonly #dir: string;
  readonly #child: ReturnType<typeof spawn>;

  private constructor(host: string, dir: string) {
    this.host = host;
    this.#dir = dir;
    this.#child = spawn('docker-registry', ['serve', join(dir, 'config.yml')], {
      stdio: 'ignore',
      env: { PATH: '/usr/bin:/bin', OTEL_TRACES_EXPORTER: 'none' },
    });
  }

  static async start(place: Place): Promise<Registry> {
    const dir = join(place.dir, TESTS_OWN, 'registry');
    mkdirSync(dir, { recursive: true });
    const host = `127.0.0.1:${await freePort()}`;
    const config = {
      version: '0.1',
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(dir, 'data') } },
      http: { addr: host },
    };
    writeFileSync(join(dir, 'config.yml'), JSON.stringify(config)); // every JSON is YAML
    const registry = new Registry(host, dir);
    await eventually('the registry answers', async () => {
      const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
      return answer?.ok === true;
    });
    return registry;
  }

  /** @returns the digest of the manifest */
  async push(repository: string, tag: string, image: BuiltImage): Promise<string> {
    for (const blob of [image.config, ...image.layers]) await this.#pushBlob(repository, blob);
    await this.pushManifest(repository, tag, image.manifest);
    return image.manifest.digest;
  }

  async pushManifest(repository: string, reference: string, manifest: Blob): Promise<void> {
    const answer = await fetch(`http://${this.host}/v2/${repository}/manifests/${reference}`, {
      method: 'PUT',
      headers: { 'Content-Type': manifest.mediaType },
      body: new Uint8Array(manifest.data),
    });
    await expectOk(answer);
  }

  /** Puts other bytes in the place of a blob: the registry serves them under the old digest. */
  damage(blob: Blob, data: Buffer): void {
    const hex = blob.digest.slice('sha256:'.length);
    writeFileSync(
      join(this.#dir, 'data/docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data'),
      data,
    );
  }

  async #pushBlob(repository: string, { digest, data }: Blob): Promise<void> {
    const begun = await fetch(`http://${this.host}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    await expectOk(begun);
    const url = new URL(begun.headers.get('Location') ?? '', `http://${this.host}`);
    url.searchParams.set('digest', digest);
    await expectOk(await fetch(url, { method: 'PUT', body: new Uint8Array(data) }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

async function expectOk(answer: Response): Promise<void> {
  const text = await answer.text();
  if (!answer.ok) throw new Error(`the registry answers ${answer.status}: ${text}`);
}

/** A port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on a port
  server.close();
  await once(server, 'close');
  return port;
}
