// Which records there are, out of three places: the section of the database, their copies, and what was set aside
// because an earlier daemon could not read it.

export interface Places {
  /** Text by key. */
  readonly stored: ReadonlyMap<string, string>;
  readonly copies: ReadonlyMap<string, string>;
  readonly aside: ReadonlyMap<string, string>;
}

export interface Choice<T> {
  readonly key: string;
  readonly record: T;
  readonly from: 'stored' | 'copy' | 'aside';
}

export interface Unreadable {
  readonly key: string;
  readonly text: string;
  readonly err: unknown;
}

export interface Chosen<T> {
  readonly records: readonly Choice<T>[];
  /** Those of which no place has a text that can be read, without those that are set aside already. */
  readonly unreadable: readonly Unreadable[];
}

/**
 * The record is what the database says. Its copy counts where that says nothing or nothing that can be read, and
 * where the copy is of later in the object's life: then the database has lost the end of its log.
 *
 * @param parse @throws if the text is no record
 * @param isLater whether the first, of the same object, is of later than the second
 */
export function chooseRecords<T>(
  { stored, copies, aside }: Places,
  parse: (text: string, key: string) => T,
  isLater: (copy: T, record: T) => boolean,
): Chosen<T> {
  const records: Choice<T>[] = [];
  const unreadable: Unreadable[] = [];
  for (const key of new Set([...stored.keys(), ...copies.keys(), ...aside.keys()])) {
    const read = (place: ReadonlyMap<string, string>, from: Choice<T>['from']) =>
      readText(place.get(key), from, (text) => parse(text, key));
    const chosen = chooseOne(read(stored, 'stored'), read(copies, 'copy'), read(aside, 'aside'), isLater);
    if (chosen?.ok === true) records.push({ key, record: chosen.value, from: chosen.from });
    else if (chosen?.ok === false) unreadable.push({ key, text: chosen.text, err: chosen.err });
  }
  return { records, unreadable };
}

/** @returns `undefined` if there is nothing to be done: it is set aside, and cannot be read still */
function chooseOne<T>(
  record: Reading<T> | undefined,
  copy: Reading<T> | undefined,
  old: Reading<T> | undefined,
  isLater: (copy: T, record: T) => boolean,
): Reading<T> | undefined {
  const isBehind = record?.ok === true && copy?.ok === true && isLater(copy.value, record.value);
  const readable = [isBehind ? undefined : record, copy, old].find((reading) => reading?.ok);
  return readable ?? (old === undefined ? (record ?? copy) : record);
}

type Reading<T> =
  | { readonly ok: true; readonly from: Choice<T>['from']; readonly value: T }
  | { readonly ok: false; readonly text: string; readonly err: unknown };

function readText<T>(
  text: string | undefined,
  from: Choice<T>['from'],
  parse: (text: string) => T,
): Reading<T> | undefined {
  if (text === undefined) return undefined;
  try {
    return { ok: true, from, value: parse(text) };
  } catch (err) {
    return { ok: false, text, err };
  }
}
