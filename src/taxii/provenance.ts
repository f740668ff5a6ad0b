import type { ProvenanceRow } from '../db/provenance.ts';

/** What is told of a version that no row of the audit log tells of. */
export const unknownOrigin = 'added before the hub kept an audit log';

/** Where one version came from, as the provenance resource and the command show it. */
export function toProvenanceEntry(row: ProvenanceRow) {
  return {
    version: row.version_text,
    date_added: row.date_added,
    ...(row.deleted_at !== null && { deleted_at: row.deleted_at }),
    ...(row.actor === null ? { message: unknownOrigin } : { added_by: row.actor }),
    ...(row.token !== null && { token: row.token }),
    ...(row.request_id !== null && { request_id: row.request_id }),
  };
}
