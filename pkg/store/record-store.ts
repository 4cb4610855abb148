// All records of one kind. The disk is the truth; the map is a copy of it, for reading without waiting.

import { notFound } from '../base/fault.ts';
import type { Log } from '../base/call.ts';
import type { Change, Database } from './database.ts';
import { Quarantine } from './quarantine.ts';

export interface Codec<T> {
  /** JSON with a version `v`. */
  encode(value: T): unknown;
  /** @throws {Fault} data_loss — `json` is no record, or one of a version that is not known */
  decode(json: unknown, key: string): T;
}

export interface StoreOptions<T> {
  /** What one record is called in messages, and its section in the database: `container`. */
  readonly kind: string;
  readonly codec: Codec<T>;
  readonly log: Log;
}

/** Told of each change once it is on disk and in memory; `undefined` is absence. It must not throw. */
export type OnChange<T> = (before: T | undefined, after: T | undefined) => void;

export class RecordStore<Id extends string, T extends { readonly id: Id }> {
  readonly #db: Database;
  readonly #kind: string;
  readonly #codec: Codec<T>;
  readonly #byId = new Map<Id, T>();
  #onChange: OnChange<T> = () => undefined;

  private constructor(db: Database, { kind, codec }: StoreOptions<T>) {
    this.#db = db;
    this.#kind = kind;
    this.#codec = codec;
  }

  /** Reads all records. One that cannot be read is set aside and logged: it costs the node no other. */
  static async load<Id extends string, T extends { readonly id: Id }>(
    db: Database,
    options: StoreOptions<T>,
  ): Promise<RecordStore<Id, T>> {
    const store = new RecordStore<Id, T>(db, options);
    for (const [key, text] of await db.entries(options.kind)) {
      try {
        const record = options.codec.decode(JSON.parse(text), key);
        store.#byId.set(record.id, record);
      } catch (err) {
        const { kind } = options;
        options.log.error({ kind, key, err }, 'record set aside because it cannot be read');
        await Quarantine.setAside(db, kind, key, text);
      }
    }
    return store;
  }

  get size(): number {
    return this.#byId.size;
  }

  find(id: Id): T | undefined {
    return this.#byId.get(id);
  }

  /** @throws {Fault} not_found */
  get(id: Id): T {
    const record = this.#byId.get(id);
    if (record === undefined) throw notFound(this.#kind, id);
    return record;
  }

  /** The one record whose id begins with `prefix`; none if several do. crictl sends truncated ids. */
  findByPrefix(prefix: string): T | undefined {
    const exact = this.#byId.get(prefix as Id);
    if (exact !== undefined || prefix === '') return exact;
    const matches = this.list().filter(({ id }) => id.startsWith(prefix));
    return matches.length === 1 ? matches[0] : undefined;
  }

  list(): T[] {
    return [...this.#byId.values()];
  }

  /** There is one listener: a second replaces the first. */
  onChange(listener: OnChange<T>): void {
    this.#onChange = listener;
  }

  /** The change that writes `record`, for a commit together with others. */
  putting(record: T): Change {
    const { writes } = this.#db.put(this.#kind, record.id, this.#codec.encode(record));
    return {
      writes,
      apply: () => {
        this.#apply(record.id, record);
      },
    };
  }

  /** The change that deletes the record, for a commit together with others. */
  removing(id: Id): Change {
    const { writes } = this.#db.del(this.#kind, id);
    return {
      writes,
      apply: () => {
        this.#apply(id, undefined);
      },
    };
  }

  /** On disk when it returns. The caller holds the object's lock. */
  async put(record: T): Promise<void> {
    await this.#db.commit(this.putting(record));
  }

  /** Does nothing if there is no such record. */
  async remove(id: Id): Promise<void> {
    await this.#db.commit(this.removing(id));
  }

  #apply(id: Id, after: T | undefined): void {
    const before = this.#byId.get(id);
    if (after === undefined) this.#byId.delete(id);
    else this.#byId.set(id, after);
    if (before !== after) this.#onChange(before, after);
  }
}
