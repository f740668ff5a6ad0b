import { type Actor, appendAudit, hubChain } from '../db/audit.ts';
import { lockCollection } from '../db/collections.ts';
import { deleteGrant, findGrant, type Grant, type GrantedRights, putGrant } from '../db/grants.ts';
import type { Db } from '../db/pool.ts';
import { tlpLabels, tlpLevelOfLabel } from '../stix/tlp.ts';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';

const nothing: GrantedRights = {
  can_read: false,
  can_write: false,
  tlp_ceiling: tlpLevelOfLabel('amber'),
  quota_bytes: null,
  sees_partners: false,
};

/**
 * Changes what a partner may do in a collection; where neither right is left, the grant is gone. Nodes obey within
 * Config.stalenessMsMax.
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
    const uncovered = before?.can_read ? findUncovered(before, rights, date_added_last) : nothingUncovered;
    const grant = { ...rights, ...uncovered };
    if (rights.can_read || rights.can_write) await putGrant(tx, partner.id, collection.id, grant);
    else await deleteGrant(tx, partner.id, collection.id);
    const details = { collection: collection.alias, ...toRecord(rights) };
    await appendAudit(tx, actor, { chain: hubChain, action: 'grant-changed', subject: partner.slug, details });
    return { ...rights, replay_above: uncovered.replay_above };
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

type Uncovered = Pick<Grant, 'replay_above' | 'replay_until'>;

const nothingUncovered: Uncovered = { replay_above: null, replay_until: null };

/** What is behind the cursor of a partner who could read before: above which level, and up to which date. */
function findUncovered(before: Grant, { can_read, tlp_ceiling }: GrantedRights, now: TaxiiTimestamp): Uncovered {
  const { replay_above, replay_until } = before;
  // It has passed by nothing since, under a ceiling that stays.
  if (can_read && tlp_ceiling === before.tlp_ceiling) return { replay_above, replay_until };
  const lowest = Math.min(replay_above ?? before.tlp_ceiling, before.tlp_ceiling);
  return can_read && lowest < tlp_ceiling ? { replay_above: lowest, replay_until: now } : nothingUncovered;
}
