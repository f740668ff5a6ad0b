import type { ObjectRow } from '../db/objects.ts';

/**
 * An envelope (TAXII 2.1 §3.7) of stored objects, as bytes. The objects leave as they came: their text is joined, never
 * parsed. Without objects the key is left out.
 */
export function toEnvelope(head: { more: boolean; next?: string }, rows: ObjectRow[]): Buffer {
  if (rows.length === 0) return Buffer.from(JSON.stringify(head));
  return Buffer.from(`${JSON.stringify(head).slice(0, -1)},"objects":[${rows.map(row => row.object).join(',')}]}`);
}
