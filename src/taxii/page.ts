import { type CollectionRow, levelsOf } from '../db/collections.ts';
import type { ObjectFilter, PageBounds, PageEnds } from '../db/objects.ts';
import { type Cursor, decodeCursor, encodeCursor } from './cursor.ts';
import { type MatchField, parsePageQuery, type Query, toObjectFilter } from './filter.ts';
import { beginning, type TaxiiTimestamp } from './timestamp.ts';

/** What a paging endpoint reads from. */
export interface Scan {
  operation: string;
  collection: CollectionRow;
  /** the object in the path, where there is one */
  objectId?: string;
  /** the fields of match that the endpoint takes */
  fields: MatchField[];
  /** what holds beside the query's own match */
  fixedFilter?: Partial<ObjectFilter>;
  /** up to where there is nothing for this reader after the bound of the request, by an earlier page */
  lookedThrough?: TaxiiTimestamp | undefined;
}

/** The part of a hub that paging needs. */
export interface PageContext {
  config: PageSettings;
  identity: { cursorKey: Buffer };
}

interface PageSettings {
  pageObjectsDefault: number;
  pageObjectsMax: number;
  pageBytesMax: number;
}

/** A page and what TAXII says around it. */
export interface TaxiiPage<Found> {
  /** undefined: nothing was added since */
  found: Found | undefined;
  /** `more` and, with more, `next`: the head of an envelope, manifest or versions resource */
  head: { more: boolean; next?: string };
  /** where to go on, whether there is more already or not */
  place: Cursor;
  /** the X-TAXII-Date-Added headers (TAXII 2.1 §3.2) */
  headers: Record<string, TaxiiTimestamp>;
}

/**
 * Answers one page of a scan (TAXII 2.1 §3.4, §3.5): reads the query, goes on from the cursor, and writes the cursor
 * and the date headers from the same rows.
 *
 * `next` and `added_after` may come together: what is later counts, so that a poller that sends both misses nothing
 * and sees nothing twice.
 * @param fetch one of the page functions of db/objects.ts
 * @throws HubError filter-invalid or cursor-invalid
 */
export async function readPage<Found extends PageEnds>(
  scan: Scan,
  query: Query,
  context: PageContext,
  fetch: (filter: ObjectFilter, bounds: PageBounds) => Promise<Found> | Found,
): Promise<TaxiiPage<Found>> {
  const { config, identity } = context;
  const { addedAfter, limit, next, match: given } = parsePageQuery(query, scan.fields);
  const scanned = {
    operation: scan.operation,
    collectionId: scan.collection.id,
    ...(scan.objectId !== undefined && { objectId: scan.objectId }),
  };
  const cursor = next === undefined ? undefined : decodeCursor(next, { ...scanned, match: given }, identity.cursorKey);
  const match = cursor?.match ?? given;
  const after = latest(cursor?.after, addedAfter);

  const { collection } = scan;
  // Nothing was added since: most polls end here, without a query.
  const from = latest(after, scan.lookedThrough);
  const isAtEnd = from !== undefined && from >= collection.date_added_last;
  const found = isAtEnd
    ? undefined
    : await fetch(
        { ...toObjectFilter(match), ...scan.fixedFilter },
        {
          after: from ?? beginning,
          // What was read together with the grant: later dates may be those of a replay that the grant does not know of yet.
          until: collection.date_added_last,
          levels: levelsOf(collection),
          objectsMax: Math.min(limit ?? config.pageObjectsDefault, config.pageObjectsMax),
          bytesMax: config.pageBytesMax,
        },
      );

  // An empty page must not send a poller past an object that is being committed now, nor tell when objects were added
  // that its reader may not see: without a bound of its own it gets a date that is earlier than every object's.
  const echo = after ?? collection.created_at;
  const last = found?.dateLast ?? echo;
  const place = { ...scanned, match, after: last };
  return {
    found,
    head: found?.more ? { more: true, next: encodeCursor(place, identity.cursorKey) } : { more: false },
    place,
    headers: {
      'x-taxii-date-added-first': found?.dateFirst ?? echo,
      'x-taxii-date-added-last': last,
    },
  };
}

function latest(a: TaxiiTimestamp | undefined, b: TaxiiTimestamp | undefined): TaxiiTimestamp | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}
