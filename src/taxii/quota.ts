import type { Grant } from '../db/grants.ts';

/** What a partner may store in a collection, in bytes: what its grant says, else the hub's settings. undefined: no bound */
export function quotaOf({ quota_bytes }: Grant, config: { quotaBytes: number }): number | undefined {
  const bytes = quota_bytes ?? config.quotaBytes;
  return bytes === 0 ? undefined : bytes;
}
