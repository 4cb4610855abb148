// The text of what OCI runtimes read: JSON in which 64-bit numbers are exact.

/** Node 24 has `JSON.rawJSON`; the types that TypeScript brings do not yet. */
const json = JSON as unknown as { rawJSON(text: string): unknown };

/** JSON with every bigint as a number with all its digits. */
export function encodeOciJson(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) =>
    typeof field === 'bigint' ? json.rawJSON(String(field)) : field,
  );
}
