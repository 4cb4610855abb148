// A registry inside the test, which does as told: asks for logins, redirects, cuts, corrupts.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestBlob, TestImage } from './test-image.ts';

/** Handles a request if it returns `true`. */
export type Override = (request: IncomingMessage, response: ServerResponse, path: string) => boolean;

export class FakeRegistry implements AsyncDisposable {
  readonly #server: Server;
  /** By path: `a/b/manifests/latest`. */
  readonly #content = new Map<string, TestBlob>();
  /** `GET a/b/manifests/latest`, in their order. */
  readonly requests: string[] = [];
  /** The headers of each. */
  readonly headers: IncomingMessage['headers'][] = [];
  override: Override = () => false;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#handle(request, response);
    });
  }

  static async start(): Promise<FakeRegistry> {
    const registry = new FakeRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  /** `127.0.0.1:41234` */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  add(repository: string, tag: string, image: TestImage): void {
    this.addManifest(repository, tag, image.manifest);
    for (const blob of [image.config, ...image.layers]) this.addBlob(repository, blob);
  }

  addManifest(repository: string, tag: string, manifest: TestBlob): void {
    this.#content.set(`${repository}/manifests/${tag}`, manifest);
    this.#content.set(`${repository}/manifests/${manifest.digest}`, manifest);
  }

  /** @param data what is given out under the digest of `blob` */
  addBlob(repository: string, blob: TestBlob, data: Buffer = blob.data): void {
    this.#content.set(`${repository}/blobs/${blob.digest}`, { ...blob, data });
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url ?? '/', 'http://fake').pathname.replace(/^\/v2\//, '');
    this.requests.push(`${request.method ?? ''} ${path}`);
    this.headers.push(request.headers);
    if (this.override(request, response, path)) return;
    const found = this.#content.get(path);
    if (found === undefined) {
      response.writeHead(404).end('{}');
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? '0');
    const data = found.data.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-type': found.mediaType,
      'content-length': data.length,
    });
    response.end(data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
