import type { DeliveryRow, Recipient } from '../db/receipts.ts';

/**
 * The deliveries of one version, as its sender is told of them. Empty lists are left out (TAXII 2.1 §2).
 * @param shown whether the partners are named, or only their sectors
 */
export function toDeliveriesEntry(row: DeliveryRow, shown: 'partners' | 'sectors') {
  const name = ({ partner, ...one }: Recipient) => (shown === 'partners' ? { partner, ...one } : one);
  return {
    version: row.version_text,
    date_added: row.date_added,
    ...(row.deleted_at !== null && { deleted_at: row.deleted_at }),
    ...(row.delivered.length > 0 && { delivered_to: row.delivered.map(name) }),
    ...(row.pending.length > 0 && { pending: row.pending.map(name) }),
  };
}
