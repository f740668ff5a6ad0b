import { sql } from 'kysely';
import type { Db } from './pool.ts';

/** Requests of a partner in a minute. */
export interface RequestCount {
  partnerId: string;
  requests: number;
}

/**
 * Adds what this node has counted in a minute, in one statement for all partners.
 * @param minute since 1970
 * @returns the sums of all nodes; 0 of a partner that another node's clock has seen a later minute of
 */
export async function addRequestCounts(db: Db, minute: number, counts: RequestCount[]): Promise<RequestCount[]> {
  const partnerIds = counts.map(count => count.partnerId);
  const requests = counts.map(count => count.requests);
  // In order, so that nodes wait for each other and never in a circle.
  const { rows } = await sql<RequestCount>`
    insert into request_count as stored (partner_id, minute, requests)
    select partner_id, ${minute}::bigint, requests
    from unnest(${partnerIds}::bigint[], ${requests}::bigint[]) as counted(partner_id, requests) order by partner_id
    on conflict (partner_id) do update set
      requests = case
        when stored.minute < excluded.minute then excluded.requests
        when stored.minute = excluded.minute then stored.requests + excluded.requests
        else stored.requests
      end,
      minute = greatest(stored.minute, excluded.minute)
    returning partner_id as "partnerId",
      case when minute = ${minute}::bigint then requests else 0 end::float8 as requests`.execute(db);
  return rows;
}
