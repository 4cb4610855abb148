// A proxy as companies have it: passes plain requests on, and makes tunnels, all to one place whatever is asked for.

import { createServer, request as httpRequest, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

export class ForwardProxy implements AsyncDisposable {
  /** `http://registry.example/v2/…` and `CONNECT registry.example:443`, each with the login for the proxy. */
  readonly asked: { readonly line: string; readonly login: string | undefined }[] = [];
  readonly #server: Server;

  private constructor(target: string) {
    const [hostname = '', port] = target.split(':');
    this.#server = createServer((request, response) => {
      this.asked.push({ line: request.url ?? '', login: request.headers['proxy-authorization'] });
      const path = new URL(request.url ?? '').pathname;
      httpRequest({ hostname, port, path }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      }).end();
    });
    this.#server.on('connect', (request, socket) => {
      this.asked.push({
        line: `CONNECT ${request.url ?? ''}`,
        login: request.headers['proxy-authorization'],
      });
      const onward = connect(Number(port), hostname, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
      socket.on('close', () => onward.destroy());
    });
  }

  /** @param target `127.0.0.1:5000` */
  static async start(target: string): Promise<ForwardProxy> {
    const proxy = new ForwardProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** `127.0.0.1:3128` */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
