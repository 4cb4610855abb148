// Limits as they stand in records.

import * as z from 'zod';
import { bigintText } from '../codec/decode.ts';

const count = bigintText.optional();

export const resourcesSchema = z.strictObject({
  cpuShares: count,
  cpuQuota: count,
  cpuPeriod: count,
  cpusetCpus: z.string().optional(),
  cpusetMems: z.string().optional(),
  memoryLimitBytes: count,
  memorySwapLimitBytes: count,
  hugepageLimits: z.array(z.strictObject({ pageSize: z.string(), limitBytes: bigintText })).optional(),
  pidsLimit: count,
  unified: z.record(z.string(), z.string()).optional(),
  oomScoreAdj: count,
});
