// Gives out the tokens that docker-registry takes: signed, for one repository, for a while.

import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Certificate } from '../../sys/testing/certificates.ts';

export const TOKEN_SERVICE = 'davit-test';

export class TokenServer implements AsyncDisposable {
  /** `user:pass`, or nothing for tokens that everyone gets. */
  login: string | undefined;
  lifetimeSeconds = 60;
  /** How many were given out. */
  given = 0;
  readonly #signer: Certificate;
  readonly #server: Server;

  private constructor(signer: Certificate) {
    this.#signer = signer;
    this.#server = createServer((request, response) => {
      this.#handle(request, response);
    });
  }

  /** @param signer whom the registry trusts */
  static async start(signer: Certificate): Promise<TokenServer> {
    const server = new TokenServer(signer);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  /** `auth` of the registry's configuration. */
  get auth(): Record<string, unknown> {
    const { port } = this.#server.address() as AddressInfo;
    const realm = `http://127.0.0.1:${port}/token`;
    return { token: { realm, service: TOKEN_SERVICE, issuer: 'davit', rootcertbundle: this.#signer.cert } };
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const expected = this.login === undefined ? undefined : `Basic ${btoa(this.login)}`;
    if (expected !== undefined && request.headers.authorization !== expected) {
      response.writeHead(401).end('{}');
      return;
    }
    const scope = new URL(request.url ?? '/', 'http://token').searchParams.get('scope') ?? '';
    const [type = '', name = '', actions = ''] = scope.split(':');
    this.given += 1;
    response.end(JSON.stringify({ token: this.#token([{ type, name, actions: actions.split(',') }]) }));
  }

  #token(access: readonly object[]): string {
    const der = new X509Certificate(readFileSync(this.#signer.cert)).raw.toString('base64');
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: 'davit',
      sub: 'user',
      aud: TOKEN_SERVICE,
      exp: now + this.lifetimeSeconds,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
      access,
    };
    const encode = (json: object) => Buffer.from(JSON.stringify(json)).toString('base64url');
    const text = `${encode({ typ: 'JWT', alg: 'ES256', x5c: [der] })}.${encode(claims)}`;
    const key = createPrivateKey(readFileSync(this.#signer.key));
    const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
