import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request as send, type RequestOptions } from 'node:http';
import { get } from 'node:https';
import { connect } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { MetricsListener } from './listener.ts';

const { log } = testCall;

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

function ask(options: RequestOptions, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = send({ agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode, type: response.headers['content-type'], text });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function listen(render: (signal: AbortSignal) => Promise<string> = () => Promise.resolve('up 1\n')) {
  return MetricsListener.listen({ address: '127.0.0.1:0', render, log });
}

function portOf({ address }: MetricsListener): number {
  return Number(address.split(':')[1]);
}

test('GET /metrics answers with the text, and says its format', async () => {
  await using listener = await listen();
  expect(await ask({ port: portOf(listener), path: '/metrics' })).toEqual({
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
    text: 'up 1\n',
  });
});

test('nothing else is answered', async () => {
  await using listener = await listen();
  const port = portOf(listener);
  expect((await ask({ port, path: '/' })).status).toBe(404);
  expect((await ask({ port, path: '/metrics/../etc' })).status).toBe(404);
  expect((await ask({ port, path: '/metrics', method: 'POST' })).status).toBe(405);
  expect((await ask({ port, path: '/metrics' }, 'a body')).status).toBe(400);
  const headers = { 'x-long': 'x'.repeat(20_000) };
  expect((await ask({ port, path: '/metrics', headers })).status).toBe(431);
});

test('it can listen on a unix socket', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'davit-test-'));
  const address = join(dir, 'metrics.sock');
  {
    await using _listener = await MetricsListener.listen({
      address,
      render: () => Promise.resolve('up 1\n'),
      log,
    });
    expect((await ask({ socketPath: address, path: '/metrics' })).text).toBe('up 1\n');
  }
  await rm(dir, { recursive: true });
});

test('an address that is taken is a fault that names it', async () => {
  await using listener = await listen();
  const again = MetricsListener.listen({
    address: listener.address,
    render: () => Promise.resolve(''),
    log,
  });
  await expect(again).rejects.toMatchObject({
    code: 'unavailable',
    message: `cannot serve metrics on "${listener.address}"`,
  });
});

test('who asks at the same time shares one answer, and one who leaves does not spoil it', async () => {
  let renders = 0;
  const asked = Promise.withResolvers<undefined>();
  const proceed = Promise.withResolvers<undefined>();
  await using listener = await listen(async () => {
    renders += 1;
    asked.resolve(undefined);
    await proceed.promise;
    return 'up 1\n';
  });
  const port = portOf(listener);
  const leaving = connect(port, '127.0.0.1');
  leaving.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
  await asked.promise;
  const staying = [ask({ port, path: '/metrics' }), ask({ port, path: '/metrics' })];
  await new Promise((resolve) => setTimeout(resolve, 50)); // until both have arrived
  leaving.destroy();
  await new Promise((resolve) => setTimeout(resolve, 50));
  proceed.resolve(undefined);
  expect((await Promise.all(staying)).map(({ text }) => text)).toEqual(['up 1\n', 'up 1\n']);
  expect(renders).toBe(1);
});

test('a failure is an answer that tells no secrets', async () => {
  await using listener = await listen(() => Promise.reject(new Error('secret')));
  const { status, text } = await ask({ port: portOf(listener), path: '/metrics' });
  expect(status).toBe(500);
  expect(text).not.toContain('secret');
});

test('closing does not wait for those who only hold a connection', async () => {
  const listener = await listen();
  const idle = connect(portOf(listener), '127.0.0.1');
  await new Promise((resolve) => idle.once('connect', resolve));
  idle.on('error', () => undefined);
  await listener[Symbol.asyncDispose]();
  idle.destroy();
});

test('with a certificate it speaks TLS, and nothing else', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'davit-test-'));
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
  execFileSync('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', cert], { stdio: 'pipe' });
  const tls = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  await rm(dir, { recursive: true });
  const render = () => Promise.resolve('up 1\n');
  await using listener = await MetricsListener.listen({ address: '127.0.0.1:0', tls, render, log });
  const port = portOf(listener);
  const text = await new Promise<string>((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/metrics', ca: tls.cert, agent: false }, (response) => {
      response.setEncoding('utf8').once('data', resolve);
    }).once('error', reject);
  });
  expect(text).toBe('up 1\n');
  await expect(ask({ port, path: '/metrics' })).rejects.toThrow();
});

test('a certificate that is none is a fault', async () => {
  const tls = { cert: 'no', key: 'no' };
  const render = () => Promise.resolve('');
  const listening = MetricsListener.listen({ address: '127.0.0.1:0', tls, render, log });
  await expect(listening).rejects.toMatchObject({ code: 'unavailable' });
});
