// How times, sizes and ids are written for people, and messages for machines.

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;

/** `3m` ago. @param atNs nanoseconds since the Unix epoch; 0 when it has not happened */
export function age(atNs: bigint, nowMs: number): string {
  if (atNs <= 0n) return '-';
  const seconds = Math.max(0, Math.floor((nowMs - Number(atNs / 1_000_000n)) / 1000));
  if (seconds < 2 * MINUTE_S) return `${seconds}s`;
  if (seconds < 2 * HOUR_S) return `${Math.floor(seconds / MINUTE_S)}m`;
  if (seconds < 2 * DAY_S) return `${Math.floor(seconds / HOUR_S)}h`;
  return `${Math.floor(seconds / DAY_S)}d`;
}

/** `4.3 MiB` */
export function size(bytes: bigint): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = Number(bytes);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? String(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** Thirteen characters, which are enough to tell ids apart and to name them. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 13);
}

/** `CONTAINER_RUNNING` is `Running`, `SANDBOX_NOTREADY` is `NotReady`. */
export function stateText(name: string): string {
  const word = name.replace(/^(CONTAINER|SANDBOX)_/, '').toLowerCase();
  return word === 'notready' ? 'NotReady' : word.charAt(0).toUpperCase() + word.slice(1);
}

/** JSON as protobuf has it: 64-bit numbers as strings, so that no reader rounds them. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item), 2);
}

/** The `info` of a verbose answer: each value is JSON, or is left as the text that it is. */
export function parseInfo(info: Readonly<Record<string, string>>): Record<string, unknown> {
  const parsed = Object.create(null) as Record<string, unknown>; // keys may be anything
  for (const [key, text] of Object.entries(info)) {
    try {
      parsed[key] = JSON.parse(text) as unknown;
    } catch {
      parsed[key] = text; // no JSON: text for people
    }
  }
  return parsed;
}
