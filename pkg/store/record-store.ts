// All records of one kind. The disk is the truth; the map is a copy of it, for reading without waiting.

import { notFound } from '../base/fault.ts';
import type { Log } from '../base/call.ts';
import type { Change, Database } from './database.ts';
import { chooseRecords } from './choose-records.ts';
import { Quarantine } from './quarantine.ts';
import type { RecordCopies } from './record-copies.ts';

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
  /** What the records come back from if the database is lost; none when absent. */
  readonly copies?: RecordCopies;
  /** Whether `copy` is of later in the life of the same object than `record`. */
  readonly isLater?: (copy: T, record: T) => boolean;
}

/** Told of each change once it is on disk and in memory; `undefined` is absence. It must not throw. */
export type OnChange<T> = (before: T | undefined, after: T | undefined) => void;

export class RecordStore<Id extends string, T extends { readonly id: Id }> {
  readonly #db: Database;
  readonly #kind: string;
  readonly #codec: Codec<T>;
  readonly #copies: RecordCopies | undefined;
  readonly #byId = new Map<Id, T>();
  #onChange: OnChange<T> = () => undefined;

  private constructor(db: Database, { kind, codec, copies }: StoreOptions<T>) {
    this.#db = db;
    this.#kind = kind;
    this.#codec = codec;
    this.#copies = copies;
  }

  /**
   * Reads all records, from their copies where the database has lost them. One that cannot be read anywhere is set
   * aside and logged: it costs the node no other. One that was set aside comes back if it can be read now.
   */
  static async load<Id extends string, T extends { readonly id: Id }>(
    db: Database,
    options: StoreOptions<T>,
  ): Promise<RecordStore<Id, T>> {
    const { kind, codec, log, isLater = () => false } = options;
    const store = new RecordStore<Id, T>(db, options);
    const stored = new Map(await db.entries(kind));
    const copies = (await options.copies?.readAll()) ?? new Map<string, string>();
    const aside = await Quarantine.read(db, kind);
    const parse = (text: string, key: string) => codec.decode(JSON.parse(text), key);
    const { records, unreadable } = chooseRecords({ stored, copies, aside }, parse, isLater);
    for (const { key, text, err } of unreadable) {
      log.error({ kind, key, err }, 'record set aside because it cannot be read');
      await Quarantine.setAside(db, kind, key, text);
    }
    for (const { record } of records) store.#byId.set(record.id, record);
    const restored = records.filter(({ from }) => from !== 'stored');
    if (restored.length > 0)
      log.warn({ kind, keys: restored.map(({ key }) => key) }, 'records restored that the database had not');
    await db.commit(
      ...restored.map(({ key, record }) => db.put(kind, key, codec.encode(record))),
      ...records.filter(({ key }) => aside.has(key)).map(({ key }) => Quarantine.forgetting(db, kind, key)),
    );
    for (const { key, record } of records) {
      const text = JSON.stringify(codec.encode(record));
      if (copies.get(key) !== text) await options.copies?.put(key, text);
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
    return this.#changing(record.id, record);
  }

  /** The change that deletes the record, for a commit together with others. */
  removing(id: Id): Change {
    return this.#changing(id, undefined);
  }

  /** On disk when it returns. The caller holds the object's lock. */
  async put(record: T): Promise<void> {
    await this.#db.commit(this.putting(record));
  }

  /** Does nothing if there is no such record. */
  async remove(id: Id): Promise<void> {
    await this.#db.commit(this.removing(id));
  }

  #changing(id: Id, after: T | undefined): Change {
    const json = after === undefined ? undefined : this.#codec.encode(after);
    const { writes } =
      after === undefined ? this.#db.del(this.#kind, id) : this.#db.put(this.#kind, id, json);
    return {
      writes,
      beside: () => this.#copy(id, json),
      undoBeside: () => {
        const before = this.#byId.get(id);
        return this.#copy(id, before && this.#codec.encode(before));
      },
      apply: () => {
        this.#apply(id, after);
      },
    };
  }

  async #copy(id: Id, json: unknown): Promise<void> {
    if (json === undefined) await this.#copies?.remove(id);
    else await this.#copies?.put(id, JSON.stringify(json));
  }

  #apply(id: Id, after: T | undefined): void {
    const before = this.#byId.get(id);
    if (after === undefined) this.#byId.delete(id);
    else this.#byId.set(id, after);
    if (before !== after) this.#onChange(before, after);
  }
}
