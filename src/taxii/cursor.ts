import { createHmac, timingSafeEqual } from 'node:crypto';
import { HubError } from '../errors.ts';
import type { Match } from './filter.ts';
import type { TaxiiTimestamp } from './timestamp.ts';

/** Where a scan stands. It holds no limit and no partner: both are taken from the request that brings it. */
export interface Cursor {
  operation: string;
  collectionId: string;
  /** the object in the path, where there is one */
  objectId?: string;
  match: Match;
  /** date_added of the last object handed out */
  after: TaxiiTimestamp;
}

const macBytes = 16;

/**
 * Writes a cursor as an opaque text for `next` (TAXII 2.1 §3.5). Nothing is kept on the server, so that it stays good
 * on every node and for as long as the hub's key.
 */
export function encodeCursor(cursor: Cursor, key: Buffer): string {
  const { operation, collectionId, objectId = '', match, after } = cursor;
  const payload = Buffer.from(JSON.stringify([1, operation, collectionId, objectId, match, after]));
  return Buffer.concat([authenticate(payload, key), payload]).toString('base64url');
}

/**
 * Reads a cursor and checks that it belongs to this scan, so that a forged or foreign one leaks nothing (App. B).
 * @param scan what the request is for; match filters that it repeats must be those of the cursor
 * @throws HubError cursor-invalid
 */
export function decodeCursor(text: string, scan: Omit<Cursor, 'after'>, key: Buffer): Cursor {
  const bytes = Buffer.from(text, 'base64url');
  const payload = bytes.subarray(macBytes);
  // The comparison of the text refuses what base64 decoding would forgive.
  const isWhole = bytes.length > macBytes && bytes.toString('base64url') === text;
  if (!isWhole || !timingSafeEqual(bytes.subarray(0, macBytes), authenticate(payload, key))) {
    throw new HubError(
      'cursor-invalid',
      'The value of next is not one that this hub gave. Send it unchanged, or start again without it.',
    );
  }
  const [, operation, collectionId, objectId, match, after] = JSON.parse(payload.toString('utf8'));
  if (operation !== scan.operation || collectionId !== scan.collectionId || objectId !== (scan.objectId ?? '')) {
    throw new HubError(
      'cursor-invalid',
      'The value of next belongs to another collection or endpoint. Start again without it.',
    );
  }
  for (const [field, values] of Object.entries(scan.match)) {
    if (JSON.stringify(values) !== JSON.stringify(match[field])) {
      throw new HubError(
        'cursor-invalid',
        `The value of next belongs to a request with another match[${field}]. Repeat the filters of the first page, or leave them out.`,
      );
    }
  }
  return { operation, collectionId, objectId, match, after };
}

function authenticate(payload: Buffer, key: Buffer): Buffer {
  return createHmac('sha256', key).update(payload).digest().subarray(0, macBytes);
}
