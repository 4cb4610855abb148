// Debian's docker-registry on a port of its own: plain or with TLS, open to all or with a login.

import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signal } from '../../sys/process.ts';
import { spawn, type Child } from '../../sys/spawn.ts';

export interface DockerRegistryOptions {
  /** Of another registry, which then has the same images. */
  readonly dataDir?: string;
  /** `http.tls` and `auth` of its configuration. */
  readonly tls?: Readonly<Record<string, unknown>>;
  readonly auth?: Readonly<Record<string, unknown>>;
}

const START_MS = 10_000;

export class DockerRegistry implements AsyncDisposable {
  /** `127.0.0.1:40123` */
  readonly host: string;
  readonly dataDir: string;
  readonly #dir: string;
  readonly #child: Child;

  private constructor(dir: string, host: string, options: DockerRegistryOptions) {
    this.#dir = dir;
    this.host = host;
    this.dataDir = options.dataDir ?? join(dir, 'data');
    mkdirSync(this.dataDir, { recursive: true });
    const config = {
      version: '0.1',
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: this.dataDir } },
      http: { addr: host, ...(options.tls !== undefined && { tls: options.tls }) },
      ...(options.auth !== undefined && { auth: options.auth }),
    };
    writeFileSync(join(dir, 'config.yml'), JSON.stringify(config)); // JSON is YAML
    const args = ['serve', join(dir, 'config.yml')];
    this.#child = spawn({ file: '/usr/bin/docker-registry', args, env: { OTEL_TRACES_EXPORTER: 'none' } });
  }

  static async start(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
    const dir = mkdtempSync(join(tmpdir(), 'davit-test-registry-'));
    const registry = new DockerRegistry(dir, `127.0.0.1:${await freePort()}`, options);
    for (const end = Date.now() + START_MS; !(await listens(registry.host)); await tick()) {
      if (Date.now() < end) continue;
      await registry[Symbol.asyncDispose]();
      throw new Error('docker-registry does not answer');
    }
    return registry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await signal(this.#child.identity, 'SIGKILL');
    await this.#child.exited;
    rmSync(this.#dir, { recursive: true });
  }
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 20));

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listens(host: string): Promise<boolean> {
  const socket = connect(Number(host.split(':')[1]), '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
