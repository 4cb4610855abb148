// The command line of hack/bench.

import { parseArgs } from 'node:util';

export interface Options {
  /** The runtime to measure; without one, davit is started for it. */
  readonly socket: string | undefined;
  /** The runtime to compare with. */
  readonly vs: string | undefined;
  /** Debian's containerd is started to compare with. */
  readonly peer: 'containerd' | 'none';
  /** Pods made one after the other, with each runtime. */
  readonly pods: number;
  /** Pods made at the same time; 0 leaves that part out. */
  readonly width: number;
  /** How often that many are made at the same time. */
  readonly batches: number;
  /** Pods that stand while memory is measured; 0 leaves that part out. */
  readonly hold: number;
  /** Runtime handler, on both. */
  readonly handler: string;
  readonly image: string | undefined;
  readonly json: boolean;
}

export const USAGE = `usage: hack/bench [options]
       hack/bench pull [options]   pulls of images: see hack/bench pull --help
       hack/bench soak [options]   many pods with probes for long, and what grows: see hack/bench soak --help
       hack/bench stats [options]  usage of all containers: see hack/bench stats --help
       hack/bench stream [options] exec and port-forward: see hack/bench stream --help

Measures a container runtime over its CRI socket, alone or in turns with another.
Without options: builds davit, starts it and Debian's containerd on roots of their own, and compares.

  --socket PATH       measure the runtime that listens here, rather than a davit started for it
  --vs PATH           take turns with the runtime that listens here
  --peer containerd   take turns with Debian's containerd, started for it (default without --socket)
  --peer none         no turns: one runtime alone
  --pods N            pods made one after the other (20)
  --width N           pods made at the same time (8; 0: none)
  --batches N         how often (3)
  --hold N            pods that stand while memory is measured (10; 0: none)
  --handler NAME      runtime handler, as a RuntimeClass names it (the default one)
  --image NAME        an image with a shell, sleep and true (a busybox made for it; pulled where it is missing)
  --json              print everything as JSON

Each pod is Run, Create, Start, ExecSync, Stop, Remove (container), Stop, Remove (pod).
`;

/** @throws {TypeError} with a message for people, when it is misused */
export function parseOptions(args: string[]): Options | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      socket: { type: 'string' },
      vs: { type: 'string' },
      peer: { type: 'string' },
      pods: { type: 'string', default: '20' },
      width: { type: 'string', default: '8' },
      batches: { type: 'string', default: '3' },
      hold: { type: 'string', default: '10' },
      handler: { type: 'string', default: '' },
      image: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const peer =
    values.peer ?? (values.socket === undefined && values.vs === undefined ? 'containerd' : 'none');
  if (peer !== 'containerd' && peer !== 'none') throw new TypeError(`there is no peer "${peer}"`);
  if (peer === 'containerd' && values.vs !== undefined)
    throw new TypeError('--vs and --peer exclude each other');
  return {
    socket: pathOf(values.socket),
    vs: pathOf(values.vs),
    peer,
    pods: count('--pods', values.pods, 1),
    width: count('--width', values.width, 0),
    batches: count('--batches', values.batches, 1),
    hold: count('--hold', values.hold, 0),
    handler: values.handler,
    image: values.image,
    json: values.json,
  };
}

/** `unix:///run/x.sock` is what other tools take. */
function pathOf(socket: string | undefined): string | undefined {
  return socket?.replace(/^unix:(\/\/)?/, '');
}

function count(option: string, text: string, min: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min) throw new TypeError(`${option} wants a number from ${min} on`);
  return value;
}
