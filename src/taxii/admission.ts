import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Actor, appendAudit } from '../db/audit.ts';
import { type CollectionRow, lockCollection, setDateAddedLast } from '../db/collections.ts';
import type { Tx } from '../db/pool.ts';
import { addStorage, findStorage } from '../db/storage.ts';
import {
  findForeignSpellings,
  findKnownVersions,
  findStoredTexts,
  insertVersions,
  type NewVersion,
  updateEnds,
  type VersionEnds,
} from '../db/versions.ts';
import { toInstant } from '../stix/timestamp.ts';
import { describeTlp, type TlpLevel } from '../stix/tlp.ts';
import { withoutDefaults } from '../stix/versions.ts';
import { chooseDates } from './dates.ts';
import { type Candidate, isCandidate, type Judged, type Outcome } from './judging.ts';
import { isEnd, placeVersion } from './version-ends.ts';

/** For whom objects are added, and who does it. */
export interface Sender {
  partnerId: string;
  partner: string;
  actor: Actor;
  /** of what the partner stores in the collection; an object beyond it is refused. Absent: no bound */
  quotaBytes?: number | undefined;
}

/** What a collection holds of one object id, as this transaction leaves it. */
interface HeldObject {
  owner: string;
  /** its latest version, whoever may see it */
  latest: string;
  versions: Map<string, HeldVersion>;
  /** those that are the first or the last for any ceiling */
  ends: Ends[];
}

type Ends = VersionEnds & { objectId: string };

function newHeldObject(owner: string, latest: string): HeldObject {
  return { owner, latest, versions: new Map(), ends: [] };
}

/** sha256 of the stored text, and the text itself where that was needed or has just come. */
interface HeldVersion {
  sha256?: Buffer;
  text?: Buffer | string;
}

/**
 * Adds objects to a collection in their order: the invariants of polling and of ownership are kept here, under the
 * collection's lock, which is held until the transaction ends.
 * @returns an outcome for each element, in order, and the collection's row where objects were added
 */
export async function admit(
  tx: Tx,
  collection: Pick<CollectionRow, 'id' | 'tlp_default' | 'tlp_max'>,
  { partnerId, partner, actor, quotaBytes = Infinity }: Sender,
  judged: Judged[],
): Promise<{ outcomes: Outcome[]; changed: CollectionRow | undefined }> {
  const { id: collectionId, tlp_default, tlp_max } = collection;
  const { date_added_last, now } = await lockCollection(tx, collectionId);
  // What has no version of its own gets the time it came (TAXII 2.1 §5.3.1: a value that is consistent to the server).
  const arrival = toInstant(now > date_added_last ? now : date_added_last);
  const candidates = judged.filter(isCandidate);
  const held = await findHeldObjects(tx, collectionId, candidates);
  const foreign = await findForeignSpellings(
    tx,
    collectionId,
    partnerId,
    candidates.map(({ id }) => id),
  );
  const added: NewVersion[] = [];
  const changed = new Set<Ends>();
  const storedBefore = await findStorage(tx, collectionId, partnerId);
  let stored = storedBefore;

  const outcomes = judged.map((one): Outcome => {
    if (!isCandidate(one)) return one;
    const object = held.get(one.id);
    const version = versionOf(one, object?.latest ?? arrival);
    // When an object of another partner came, the sender may not be allowed to know.
    const isForeign = object ? object.owner !== partnerId : foreign.has(one.id.toLowerCase());
    const versionText = one.versionText ?? (isForeign ? 'unknown' : `${version}Z`);
    const same = object?.versions.get(version);
    const outcome = { id: one.id, version: versionText };
    if (same && isSameContent(same, one.bytes))
      return { ...outcome, result: 'present', message: 'already in the collection' };
    if (isForeign) return { ...outcome, result: 'refused', message: ownedByAnother };
    if (same) return { ...outcome, result: 'refused', message: otherContent };
    const tlp = one.tlp ?? tlp_default;
    if (tlp > tlp_max) return { ...outcome, result: 'refused', message: aboveMaximum(tlp, tlp_max) };
    if (stored + one.bytes.length > quotaBytes) {
      return { ...outcome, result: 'refused', message: describeQuota(quotaBytes, stored, one.bytes.length) };
    }

    const target = object ?? newHeldObject(partnerId, version);
    const { place, changed: others } = placeVersion(target.ends, { version, tlp });
    const { id: objectId, type, specVersion, bytes: text } = one;
    const newVersion: NewVersion = { objectId, version, versionText, type, specVersion, tlp, ...place, text };
    target.versions.set(version, { text });
    target.ends = [...target.ends, newVersion].filter(isEnd);
    if (version > target.latest) target.latest = version;
    held.set(objectId, target);
    for (const other of others) changed.add(other);
    added.push(newVersion);
    stored += text.length;
    return { ...outcome, result: 'added', ...(one.warning !== undefined && { message: one.warning }) };
  });

  const dates = added.length > 0 ? chooseDates(date_added_last, now, added.length) : undefined;
  let row: CollectionRow | undefined;
  if (dates) {
    for (const one of added) changed.delete(one);
    await updateEnds(tx, collectionId, [...changed]);
    await insertVersions(tx, collectionId, partnerId, dates.first, added);
    const levels = [...new Set(added.map(({ tlp }) => tlp))];
    row = await setDateAddedLast(tx, collectionId, dates.last, { levels, isPastChanged: changed.size > 0 });
    await addStorage(tx, collectionId, partnerId, stored - storedBefore);
  }
  const details = countResults(outcomes);
  // That a partner tried to change another's object is told too; sending again what is there changes nothing.
  if (dates || details.refused > 0) {
    const action = dates ? 'objects-added' : 'objects-refused';
    await appendAudit(tx, actor, { chain: collectionId, action, subject: partner, details, dates });
  }
  return { outcomes, changed: row };
}

function countResults(outcomes: Outcome[]): Record<Outcome['result'], number> {
  const counts = { added: 0, present: 0, refused: 0 };
  for (const { result } of outcomes) counts[result] += 1;
  return counts;
}

const ownedByAnother =
  'another partner added this object to the collection first; only that partner can add versions of it or revoke it';
const otherContent =
  'this version of the object is in the collection, or in this envelope before it, with other content; ' +
  'send changes with a later modified (STIX 2.1 §3.6, version-conflict)';

function aboveMaximum(tlp: TlpLevel, maximum: TlpLevel): string {
  return `is ${describeTlp(tlp)}, and this collection takes objects up to ${describeTlp(maximum)}`;
}

function describeQuota(quotaBytes: number, stored: number, bytes: number): string {
  return (
    `you may store ${quotaBytes} bytes in this collection and have stored ${stored}, so that the ${bytes} of this ` +
    'version do not fit; delete objects of yours, or ask the operator of the hub for a larger quota'
  );
}

async function findHeldObjects(
  tx: Tx,
  collectionId: string,
  candidates: Candidate[],
): Promise<Map<string, HeldObject>> {
  const keys = candidates.map(one => ({ objectId: one.id, version: versionOf(one, '') }));
  const known = keys.length > 0 ? await findKnownVersions(tx, collectionId, keys) : [];
  const held = new Map<string, HeldObject>();
  for (const row of known) {
    const { object_id: objectId, added_by: owner, version, tlp, first_below, last_below, sha256 } = row;
    const object = held.get(objectId) ?? newHeldObject(owner, version);
    object.versions.set(version, { sha256 });
    object.ends.push({ objectId, version, tlp, first_below, last_below });
    if (version > object.latest) object.latest = version;
    held.set(objectId, object);
  }
  await fetchUnequalTexts(tx, collectionId, candidates, held);
  return held;
}

// Only where the bytes differ does it take the stored text to say whether the content does. JSON that says the same is
// of similar length, so that what is fetched stays in proportion to what was sent.
async function fetchUnequalTexts(
  tx: Tx,
  collectionId: string,
  candidates: Candidate[],
  held: Map<string, HeldObject>,
): Promise<void> {
  const unequal = candidates.flatMap(one => {
    const object = held.get(one.id);
    const version = versionOf(one, object?.latest ?? '');
    const stored = object?.versions.get(version);
    if (!stored || sha256(one.bytes).equals(stored.sha256 as Buffer)) return [];
    return [{ objectId: one.id, version, bytesMax: 4 * one.bytes.length }];
  });
  if (unequal.length === 0) return;
  for (const row of await findStoredTexts(tx, collectionId, unequal)) {
    const stored = held.get(row.object_id)?.versions.get(row.version);
    if (stored) stored.text = row.object;
  }
}

/** Whether two texts are the same content, whatever their white space, order of keys and defaults that are left out. */
function isSameContent(stored: HeldVersion, bytes: Buffer): boolean {
  if (stored.sha256?.equals(sha256(bytes))) return true;
  if (stored.text === undefined) return false;
  const [content, other] = [stored.text, bytes].map(text => withoutDefaults(JSON.parse(text.toString())));
  return isDeepStrictEqual(content, other);
}

function versionOf(candidate: Candidate, whereUnversioned: string): string {
  return candidate.versionText === undefined ? whereUnversioned : toInstant(candidate.versionText);
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
