import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { silentLog, testCall } from '../base/testing/call.ts';
import { SpanExporter, type Span } from './span-exporter.ts';

const span: Span = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  name: 'Version',
  isServer: true,
  startedAtMs: 1_755_000_000_000.5,
  tookMs: 2,
  attributes: { 'rpc.method': 'Version' },
};

interface Collector extends AsyncDisposable {
  readonly endpoint: string;
  readonly bodies: unknown[];
}

async function startCollector(status = 200): Promise<Collector> {
  const bodies: unknown[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      bodies.push(JSON.parse(text));
      response.writeHead(status).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}/v1/traces`,
    bodies,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('spans arrive as OTLP, at the latest when the exporter closes', async () => {
  await using collector = await startCollector();
  {
    await using exporter = new SpanExporter({
      endpoint: collector.endpoint,
      version: '1.2.3',
      log: silentLog,
    });
    exporter.add([span, { ...span, error: 'internal' }]);
  }
  expect(collector.bodies).toMatchObject([
    {
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'davit' } }, {}] },
          scopeSpans: [
            {
              spans: [
                {
                  traceId: span.traceId,
                  kind: 2,
                  startTimeUnixNano: '1755000000000500000',
                  endTimeUnixNano: '1755000000002500000',
                  status: {},
                },
                { status: { code: 2, message: 'internal' } },
              ],
            },
          ],
        },
      ],
    },
  ]);
});

test('many spans go in several requests, and what is too much is dropped', async () => {
  await using collector = await startCollector();
  {
    await using exporter = new SpanExporter({ endpoint: collector.endpoint, version: '1', log: silentLog });
    exporter.add(Array.from({ length: 5000 }, () => span));
    exporter.add([span]);
  }
  expect(collector.bodies).toHaveLength(8); // 4096 spans, 512 in each
});

test('a collector that fails costs one line of the log and nothing else', async () => {
  await using collector = await startCollector(503);
  const lines: string[] = [];
  const log = { ...testCall.log, warn: (_: object, event: string) => lines.push(event) };
  {
    await using exporter = new SpanExporter({
      endpoint: collector.endpoint,
      version: '1',
      log,
      intervalMs: 1,
    });
    exporter.add([span]);
    await expect.poll(() => lines.length).toBe(1); // what comes before that is dropped with it
    exporter.add([span]);
  }
  expect({ requests: collector.bodies.length, lines }).toEqual({
    requests: 2,
    lines: ['traces are not taken'],
  });
});
