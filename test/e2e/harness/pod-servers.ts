// Servers in the network of a pod, on its loopback interface, for those who forward ports: a process of the test
// that enters the pod's network namespace.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestPod } from './pod.ts';
import { TESTS_OWN } from './node-processes.ts';

/** What a server does with each connection. */
export const PORTS = {
  /** Reads to the end and then answers with all of it, twice. */
  echoTwice: 7001,
  /** The same, on ::1 alone. */
  echoTwiceOnIpv6: 7002,
  /** Resets as soon as something comes. */
  reset: 7003,
  /** Says goodbye and ends at once, and reads on. */
  goodbye: 7004,
  /** Nobody listens. */
  closed: 7005,
} as const;

/** Runs in the pod's network: it must not import anything. */
const SERVERS = `
const { createServer } = require('node:net');
let open = 0;
const tell = () => console.log(open);
const serve = (port, host, onConnection) => new Promise((resolve) => {
  createServer({ allowHalfOpen: true }, (socket) => {
    open++;
    tell();
    socket.on('error', () => undefined).on('close', () => {
      open--;
      tell();
    });
    onConnection(socket);
  }).listen(port, host, resolve);
});
const echoTwice = (socket) => {
  const chunks = [];
  socket.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
    const all = Buffer.concat(chunks);
    socket.end(Buffer.concat([all, all]));
  });
};
Promise.all([
  serve(${PORTS.echoTwice}, '127.0.0.1', echoTwice),
  serve(${PORTS.echoTwiceOnIpv6}, '::1', echoTwice),
  serve(${PORTS.reset}, '127.0.0.1', (socket) => socket.on('data', () => socket.resetAndDestroy())),
  serve(${PORTS.goodbye}, '127.0.0.1', (socket) => socket.resume().end('goodbye')),
]).then(tell);
`;

export interface PodServers extends AsyncDisposable {
  /** How many are open. */
  connections(): number;
}

/** Listens when it returns, until it is disposed. */
export async function servePod(pod: TestPod): Promise<PodServers> {
  const netns = join(pod.node.place.run, 'sandboxes', pod.id, 'ns/net');
  const args = [`--net=${netns}`, process.execPath, '-e', SERVERS, `${pod.node.place.dir}/${TESTS_OWN}`];
  const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => {
    told = chunk.toString().trim().split('\n').at(-1) ?? told;
  });
  const failed = exited.then(() => Promise.reject(new Error('the servers of the pod did not start')));
  await Promise.race([once(child.stdout, 'data'), failed]);
  failed.catch(() => undefined); // they end one day
  return {
    connections: () => Number(told),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
