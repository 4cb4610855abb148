// Records of ours as they come from disk: they have a version, and may be of a daemon that is not yet known.

import * as z from 'zod';
import { Fault } from '../base/fault.ts';
import { decode } from './decode.ts';

const versioned = z.object({ v: z.int() });

interface RecordFormat<Schema> {
  readonly schema: Schema;
  /** The last version that `schema` knows. */
  readonly latest: number;
}

/** @throws {Fault} data_loss — it is no such record, or one of a later version, which the message says */
export function decodeRecord<Schema extends z.ZodType>(
  { schema, latest }: RecordFormat<Schema>,
  json: unknown,
  what: string,
): z.output<Schema> {
  const { data } = versioned.safeParse(json);
  if (data !== undefined && data.v > latest)
    throw new Fault(
      'data_loss',
      `cannot read ${what}: a later davit has written it in version ${data.v}, and this one knows version ${latest}`,
    );
  return decode(schema, json, what, 'data_loss');
}
