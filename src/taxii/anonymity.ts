import type { HubIdentity } from '../auth/hub-identity.ts';
import type { CollectionRow } from '../db/collections.ts';
import { findPartnerMarks } from '../db/partner-identities.ts';
import type { Db, Tx } from '../db/pool.ts';
import { isRecord } from '../stix/object-types.ts';

/** What would tell consumers of an anonymous collection who sent an object. */
export interface Anonymity {
  /** STIX ids that stand for the sender, in lower case */
  identities: string[];
  /** the sender's name */
  name: string;
  /** the STIX id that stands for whoever sends through the hub */
  hubIdentity: string;
}

/** What objects of a partner are held against in a collection. undefined: there senders may be seen */
export async function findAnonymity(
  { db, identity }: { db: Db | Tx; identity: Pick<HubIdentity, 'stixId'> },
  collection: Pick<CollectionRow, 'anonymous'>,
  partnerId: string,
): Promise<Anonymity | undefined> {
  const marks = collection.anonymous ? await findPartnerMarks(db, partnerId) : undefined;
  return marks && { ...marks, hubIdentity: identity.stixId };
}

/**
 * Says how an object would reveal its sender: nothing is rewritten, so that it must be refused.
 * @param value what JSON.parse gave of an object that was judged valid
 * @returns a sentence for the status resource; undefined where it does not
 */
export function findRevelation(value: unknown, { identities, name, hubIdentity }: Anonymity): string | undefined {
  if (!isRecord(value)) return undefined;
  // Written anew, so that no escape hides an id; letters in either case are the same id.
  const text = JSON.stringify(value).toLowerCase();
  const named = identities.find(id => text.includes(id));
  if (named) return `it names ${named}, which stands for you, and ${instead(hubIdentity)}`;
  if (value.type === 'identity' && typeof value.name === 'string' && toKey(value.name) === toKey(name)) {
    return `it is an identity with your name, and ${secret}: do not send it here`;
  }
  if (value.created_by_ref === undefined || value.created_by_ref === hubIdentity || identities.length > 0) {
    return undefined;
  }
  return (
    `it has a created_by_ref, and the hub does not know which identities stand for you, but ${instead(hubIdentity)}. ` +
    'The operator can note your identities: then those of others may stand there'
  );
}

const secret = 'consumers of this collection must not learn who sends';

function instead(hubIdentity: string): string {
  return `${secret}: leave it out, or name ${hubIdentity} in its place`;
}

function toKey(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase();
}
