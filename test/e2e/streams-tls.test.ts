// Streams over TLS: exec and port-forward of the built daemon, and a certificate that is replaced under them.

import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { makeAuthority, makeCertificate } from '../../pkg/sys/testing/certificates.ts';
import { connectCommand, TRANSPORTS } from './harness/command-client.ts';
import { eventually } from './harness/eventually.ts';
import { ForwardClient } from './harness/forward-client.ts';
import { PORTS, servePod } from './harness/pod-servers.ts';
import { TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const dir = mkdtempSync(join(tmpdir(), 'davit-tls-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});
const authority = await makeAuthority(dir);
const inUse = await makeCertificate(dir, 'first', authority);
setDefaultCACertificates([...getCACertificates('default'), readFileSync(authority.cert, 'utf8')]);

const node = useNode({
  config: `[streaming]\ntls_cert = "${inUse.cert}"\ntls_key = "${inUse.key}"\n`,
});

/** Puts another certificate into the place of the one in use. */
async function replaceCertificate(name: string): Promise<void> {
  const next = await makeCertificate(dir, name, authority);
  renameSync(next.cert, inUse.cert);
  renameSync(next.key, inUse.key);
}

/** The common name of the certificate that is shown at an address. */
async function nameShown(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return [CN].join();
}

describe.each(TRANSPORTS)('over %s', (transport) => {
  test('exec and port-forward go on while the certificate is replaced', async () => {
    const pod = await TestPod.run(node);
    await using _servers = await servePod(pod);
    const container = await pod.start();
    const streams = { stdin: true, stdout: true, stderr: true };
    const cmd = ['sh', '-c', 'cat; exit 3'];
    const { url } = await node.client.exec({ containerId: container.id, cmd, ...streams });
    expect(url).toMatch(/^https:/);
    const exec = await connectCommand(transport, url, streams);
    const forwarding = await node.client.portForward({ podSandboxId: pod.id });
    using forward = await ForwardClient.connect(transport, forwarding.url);
    const forwarded = forward.open(PORTS.echoTwice);
    forwarded.write('half');
    exec.write('one ');
    await eventually('it has answered', () => exec.outcome().stdout.toString() === 'one ');

    await replaceCertificate(`for ${transport}`);
    await eventually('it is shown', async () => (await nameShown(url)) === `for ${transport}`);
    forwarded.end();
    await forwarded.over();
    expect([forwarded.data.text, forwarded.error.text]).toEqual(['halfhalf', '']);
    exec.write('two');
    exec.endStdin();
    await eventually('it has ended', () => exec.closed);
    expect(exec.outcome().stdout.toString()).toBe('one two');
    expect(exec.outcome().status).toMatchObject({ details: { causes: [{ message: '3' }] } });
  });
});
