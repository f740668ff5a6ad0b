import { type Actor, appendAudit, hubChain } from '../db/audit.ts';
import { lockCollection } from '../db/collections.ts';
import { deleteGrant, findGrant, type Grant, type GrantedRights, putGrant } from '../db/grants.ts';
import type { Db } from '../db/pool.ts';
import { type TlpLevel, tlpLabels, tlpLevelOfLabel } from '../stix/tlp.ts';

const nothing: GrantedRights = {
  can_read: false,
  can_write: false,
  tlp_ceiling: tlpLevelOfLabel('amber'),
  quota_bytes: null,
  sees_partners: false,
};

/**
 * Changes what a partner may do in a collection; where neither right is left, the grant is gone. The next request obeys.
 * @param change gets the rights as they are (none, and the ceiling amber, where there is no grant) and gives those that
 * change
 * @returns the rights, and the old ceiling above which there is something to replay
 */
export async function changeGrant(
  db: Db,
  partner: { id: string; slug: string },
  collection: { id: string; alias: string },
  actor: Actor,
  change: (before: GrantedRights) => Partial<GrantedRights>,
): Promise<GrantedRights & Pick<Grant, 'replay_above'>> {
  return db.transaction().execute(async tx => {
    // Nothing is added meanwhile, so that it is clear what the partner has passed by under its old ceiling.
    const { date_added_last } = await lockCollection(tx, collection.id);
    const before = await findGrant(tx, partner.id, collection.id);
    // Who lost the right to read does not find its old ceiling again with it.
    const { tlp_ceiling } = before?.can_read ? before : nothing;
    const rights = toRights({ ...nothing, ...before, tlp_ceiling, ...change(before ?? nothing) });
    const replay_above = before?.can_read ? findUncovered(before, rights.tlp_ceiling) : null;
    const grant = { ...rights, replay_above, replay_until: replay_above === null ? null : date_added_last };
    if (rights.can_read || rights.can_write) await putGrant(tx, partner.id, collection.id, grant);
    else await deleteGrant(tx, partner.id, collection.id);
    const details = { collection: collection.alias, ...toRecord(rights) };
    await appendAudit(tx, actor, { chain: hubChain, action: 'grant-changed', subject: partner.slug, details });
    return { ...rights, replay_above };
  });
}

/** A grant as people are told of it. */
export function toRecord({ can_read, can_write, tlp_ceiling, quota_bytes, sees_partners }: GrantedRights) {
  return { can_read, can_write, tlp: can_read ? tlpLabels[tlp_ceiling] : null, quota_bytes, sees_partners };
}

// Without what else a row holds.
function toRights({ can_read, can_write, tlp_ceiling, quota_bytes, sees_partners }: GrantedRights): GrantedRights {
  return { can_read, can_write, tlp_ceiling, quota_bytes, sees_partners };
}

/** The level above which objects are behind the partner's cursor once its ceiling is changed; null: none are. */
function findUncovered({ tlp_ceiling, replay_above }: Grant, ceiling: TlpLevel): TlpLevel | null {
  const lowest = Math.min(replay_above ?? tlp_ceiling, tlp_ceiling);
  return lowest < ceiling ? lowest : null;
}
