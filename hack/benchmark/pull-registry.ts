// Debian's docker-registry on loopback, and how images get into it.

import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { LayerFile } from './pull-image.ts';

const START_MS = 10_000;

export class PullRegistry implements AsyncDisposable {
  /** `127.0.0.1:40123` */
  readonly host: string;
  readonly #child: ChildProcess;

  private constructor(host: string, child: ChildProcess) {
    this.host = host;
    this.#child = child;
  }

  static async start(dir: string): Promise<PullRegistry> {
    mkdirSync(dir);
    const host = `127.0.0.1:${await freePort()}`;
    const config = {
      version: '0.1',
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(dir, 'data') } },
      http: { addr: host },
    };
    writeFileSync(join(dir, 'config.yml'), JSON.stringify(config)); // JSON is YAML
    const env = { PATH: '/usr/bin:/bin', OTEL_TRACES_EXPORTER: 'none' };
    const options = { stdio: 'ignore', detached: true, env } as const;
    const child = spawn('/usr/bin/docker-registry', ['serve', join(dir, 'config.yml')], options);
    child.on('error', () => undefined); // shown below, as a registry that does not answer
    const registry = new PullRegistry(host, child);
    const end = Date.now() + START_MS;
    while (!(await registry.#answers())) {
      if (Date.now() > end) {
        await registry[Symbol.asyncDispose]();
        throw new Error('docker-registry does not answer');
      }
      await delay(20);
    }
    return registry;
  }

  /** @returns its name: `127.0.0.1:40123/bench/app:v1` */
  async push(repository: string, layers: readonly LayerFile[]): Promise<string> {
    const config = Buffer.from(
      JSON.stringify({
        architecture: process.arch === 'x64' ? 'amd64' : process.arch,
        os: 'linux',
        config: {},
        rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      }),
    );
    const configDigest = `sha256:${createHash('sha256').update(config).digest('hex')}`;
    await this.#pushBlob(repository, configDigest, [config], config.length);
    for (const { path, digest, size } of layers)
      await this.#pushBlob(repository, digest, createReadStream(path), size);
    const type = 'application/vnd.oci.image';
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: `${type}.manifest.v1+json`,
      config: { mediaType: `${type}.config.v1+json`, digest: configDigest, size: config.length },
      layers: layers.map(({ digest, size }) => ({ mediaType: `${type}.layer.v1.tar+gzip`, digest, size })),
    });
    const headers = { 'content-type': `${type}.manifest.v1+json` };
    await this.#send('PUT', `/v2/${repository}/manifests/v1`, [Buffer.from(manifest)], headers);
    return `${this.host}/${repository}:v1`;
  }

  async #pushBlob(
    repository: string,
    digest: string,
    data: Iterable<Buffer> | AsyncIterable<Buffer>,
    size: number,
  ): Promise<void> {
    const location = await this.#send('POST', `/v2/${repository}/blobs/uploads/`, []);
    const url = new URL(location, `http://${this.host}`);
    url.searchParams.set('digest', digest);
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) };
    await this.#send('PUT', url.pathname + url.search, data, headers);
  }

  /** @returns the Location that it answers with */
  async #send(
    method: string,
    path: string,
    body: Iterable<Buffer> | AsyncIterable<Buffer>,
    headers: Record<string, string> = {},
  ): Promise<string> {
    const [hostname, port] = this.host.split(':');
    const outgoing = request({ hostname, port, method, path, headers });
    const answered = once(outgoing, 'response');
    await pipeline(body, outgoing);
    const [answer] = (await answered) as [IncomingMessage];
    answer.resume();
    await once(answer, 'end');
    if ((answer.statusCode ?? 500) >= 300) throw new Error(`${method} ${path}: ${String(answer.statusCode)}`);
    return answer.headers.location ?? '';
  }

  async #answers(): Promise<boolean> {
    return await fetch(`http://${this.host}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.pid === undefined || this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on a port
  server.close();
  await once(server, 'close');
  return port;
}
