// Records that could not be read, set aside whole when their store was loaded.

import type { Change, Database } from './database.ts';

const SECTION = 'unreadable';

export class Quarantine {
  readonly #db: Database;
  readonly #keys: Set<string>;

  private constructor(db: Database, keys: Set<string>) {
    this.#db = db;
    this.#keys = keys;
  }

  /** After the stores, which set records aside while they are loaded. */
  static async open(db: Database): Promise<Quarantine> {
    return new Quarantine(db, new Set((await db.entries(SECTION)).map(([key]) => key)));
  }

  /** Moves a record of the section `kind` here. */
  static async setAside(db: Database, kind: string, key: string, text: string): Promise<void> {
    await db.commit(db.put(SECTION, `${kind}/${key}`, text), db.del(kind, key));
  }

  /** Those of one kind, by key. */
  static async read(db: Database, kind: string): Promise<Map<string, string>> {
    const prefix = `${kind}/`;
    const entries = (await db.entries(SECTION)).filter(([key]) => key.startsWith(prefix));
    return new Map(entries.map(([key, text]) => [key.slice(prefix.length), String(JSON.parse(text))]));
  }

  /** The change that deletes one that can be read again. */
  static forgetting(db: Database, kind: string, key: string): Change {
    return db.del(SECTION, `${kind}/${key}`);
  }

  /** Each as kind and key: `container/4f1c…`. */
  keys(): string[] {
    return [...this.#keys];
  }

  /** Deletes it for good. */
  async forget(key: string): Promise<void> {
    await this.#db.commit(this.#db.del(SECTION, key));
    this.#keys.delete(key);
  }
}
