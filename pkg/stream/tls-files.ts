// Certificate, key and the clients' authority as files that are replaced while the daemon runs. What cannot be
// used is not taken: the last that could is kept.

import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createSecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls';
import type { Log } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import { watchDirectory } from '../sys/watch.ts';

export interface TlsPaths {
  /** PEM files; the certificate's may have those of authorities in between after it. */
  readonly cert: string;
  readonly key: string;
  /** Whose certificates clients must have; absent if they need none. */
  readonly clientCa?: string | undefined;
  readonly minVersion: Extract<SecureVersion, 'TLSv1.2' | 'TLSv1.3'>;
}

export class TlsFiles implements Disposable {
  /** Called with each that can be used, after the first. */
  onChange: (options: SecureContextOptions) => void = () => undefined;
  readonly #paths: TlsPaths;
  readonly #log: Log;
  readonly #watches = new DisposableStack();
  #current: SecureContextOptions = {};
  /** Whether they are being read, and whether they have changed since that began. */
  #state: 'idle' | 'reading' | 'changed' = 'idle';

  private constructor(paths: TlsPaths, log: Log) {
    this.#paths = paths;
    this.#log = log;
  }

  /** @throws {Fault} invalid_argument — a file cannot be read, or they do not belong together */
  static async open(paths: TlsPaths, log: Log): Promise<TlsFiles> {
    const files = new TlsFiles(paths, log);
    try {
      files.#watch(); // first, or a change in between would be missed
      files.#current = await readTls(paths);
    } catch (cause) {
      files[Symbol.dispose]();
      throw new Fault('invalid_argument', `cannot use "${paths.cert}" for streams`, { cause });
    }
    return files;
  }

  get current(): SecureContextOptions {
    return this.#current;
  }

  [Symbol.dispose](): void {
    this.#watches.dispose();
  }

  /** All names count: a file may be a link by way of another, as in a volume of Kubernetes. */
  #watch(): void {
    const { cert, key, clientCa = cert } = this.#paths;
    for (const dir of new Set([cert, key, clientCa].map(dirname))) {
      const onError = (error: unknown) => {
        this.#log.warn({ dir, error: Fault.from(error).message }, 'certificates of streams are not followed');
      };
      const onName = () => {
        if (this.#state === 'idle')
          void this.#read(); // it never rejects
        else this.#state = 'changed';
      };
      this.#watches.use(watchDirectory(dir, onName, onError));
    }
  }

  async #read(): Promise<void> {
    do {
      this.#state = 'reading';
      try {
        this.#take(await readTls(this.#paths));
      } catch (error) {
        // One file may have been replaced already, and the other is about to be.
        this.#log.warn({ error: Fault.from(error).message }, 'certificate of streams not taken');
      }
    } while (this.#hasChanged());
    this.#state = 'idle';
  }

  #hasChanged(): boolean {
    return this.#state === 'changed';
  }

  #take(read: SecureContextOptions): void {
    const { cert, key, ca } = this.#current;
    if (read.cert === cert && read.key === key && read.ca === ca) return;
    this.#current = read;
    this.onChange(read);
    this.#log.info({ cert: this.#paths.cert }, 'certificate of streams taken');
  }
}

/** @throws whatever the file system or OpenSSL says; never what is in the files */
async function readTls({ cert, key, clientCa, minVersion }: TlsPaths): Promise<SecureContextOptions> {
  const [certText, keyText, caText] = await Promise.all([
    readFile(cert, 'utf8'),
    readFile(key, 'utf8'),
    clientCa === undefined ? Promise.resolve(undefined) : readFile(clientCa, 'utf8'),
  ]);
  const options: SecureContextOptions = { cert: certText, key: keyText, ca: caText, minVersion };
  createSecureContext(options); // throws unless they belong together
  return options;
}
