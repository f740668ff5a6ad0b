import { sql } from 'kysely';
import { splitText } from './columns.ts';
import type { Db } from './pool.ts';
import type { Statement } from './together.ts';

/** A status resource (its JSON text), kept for the partner that sent the envelope. */
export interface NewStatus {
  id: string;
  api_root: string;
  partner_id: string;
  resource: string;
}

/** The statement that keeps status resources. */
export function keepStatuses(statuses: NewStatus[]): Statement {
  return sql`
    insert into status (id, api_root, partner_id, resource)
    select id::uuid, api_root, partner_id::bigint, resource
    from unnest(
      ${splitText(statuses, one => one.id)}, ${splitText(statuses, one => one.api_root)},
      ${splitText(statuses, one => one.partner_id)}, ${splitText(statuses, one => one.resource)}
    ) as one(id, api_root, partner_id, resource)`;
}

/** The status resource's JSON text, for its own partner alone. */
export async function findStatus(
  db: Db,
  key: { id: string; apiRoot: string; partnerId: string; retentionHours: number },
): Promise<string | undefined> {
  const row = await db
    .selectFrom('status')
    .select('resource')
    .where('id', '=', key.id)
    .where('api_root', '=', key.apiRoot)
    .where('partner_id', '=', key.partnerId)
    .where('created_at', '>', oldestKept(key.retentionHours))
    .executeTakeFirst();
  return row?.resource;
}

/** How many statuses one call of deleteExpiredStatuses removes at most. */
export const expiredStatusesMax = 1000;

/** Removes statuses past their time, at most expiredStatusesMax. @returns how many were removed */
export async function deleteExpiredStatuses(db: Db, retentionHours: number): Promise<number> {
  const expired = db
    .selectFrom('status')
    .select('id')
    .where('created_at', '<=', oldestKept(retentionHours))
    .orderBy('created_at')
    .limit(expiredStatusesMax);
  const deleted = await db.deleteFrom('status').where('id', 'in', expired).executeTakeFirst();
  return Number(deleted.numDeletedRows);
}

function oldestKept(retentionHours: number) {
  return sql<string>`now() - make_interval(hours => ${retentionHours})`;
}
