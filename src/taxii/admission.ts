import { type Actor, appendAuditRows, type ChainEntry } from '../db/audit.ts';
import { type CollectionRow, lockCollection, setDateAddedLast } from '../db/collections.ts';
import type { Tx } from '../db/pool.ts';
import { addStorage, findStorage } from '../db/storage.ts';
import { insertVersions, type NewVersion, updateEnds } from '../db/versions.ts';
import { toInstant } from '../stix/timestamp.ts';
import { describeTlp, type TlpLevel } from '../stix/tlp.ts';
import { chooseDates } from './dates.ts';
import {
  type Ends,
  findHeldObjects,
  type HeldObjects,
  isForeign,
  isSameContent,
  newHeldObject,
  noteOwner,
  versionOf,
} from './held-objects.ts';
import { type Candidate, isCandidate, type Judged, type Outcome } from './judging.ts';
import { type TaxiiTimestamp, toMicros } from './timestamp.ts';
import { isEnd, placeVersion } from './version-ends.ts';

/** For whom objects are added, and who does it. */
export interface Sender {
  partnerId: string;
  partner: string;
  actor: Actor;
  /** of what the partner stores in the collection; an object beyond it is refused. Absent: no bound */
  quotaBytes?: number | undefined;
}

/** What one sender sends at once. */
export interface JudgedEnvelope {
  sender: Sender;
  judged: Judged[];
}

/** What became of envelopes. */
export interface Admission {
  /** of each envelope, for each of its elements, in order */
  outcomes: Outcome[][];
  /** the collection as the transaction leaves it */
  collection: CollectionRow;
}

/** What a transaction knows, and is about to write. */
interface Batch {
  collection: CollectionRow;
  now: TaxiiTimestamp;
  held: HeldObjects;
  /** bytes by partner, as the transaction leaves them */
  stored: Map<string, number>;
  added: NewVersion[];
  dateAddedFirst: TaxiiTimestamp;
  dateAddedLast: TaxiiTimestamp;
  /** versions that were there already, and have become different */
  changed: Set<Ends>;
}

/**
 * Adds the objects of envelopes to a collection, one after the other, each as if those before it had been committed: the
 * invariants of polling and of ownership are kept here, under the collection's lock, which is held until the transaction
 * ends.
 */
export async function admit(tx: Tx, collectionId: string, envelopes: JudgedEnvelope[]): Promise<Admission> {
  const { now, ...collection } = await lockCollection(tx, collectionId);
  const candidates = envelopes.flatMap(({ judged }) => judged.filter(isCandidate));
  const partnerIds = [...new Set(envelopes.map(({ sender }) => sender.partnerId))];
  const storedBefore = await findStorage(tx, collectionId, partnerIds);
  const batch: Batch = {
    collection,
    now,
    held: await findHeldObjects(tx, collectionId, candidates),
    stored: new Map(storedBefore),
    added: [],
    dateAddedFirst: collection.date_added_last,
    dateAddedLast: collection.date_added_last,
    changed: new Set(),
  };
  const admitted = envelopes.map(envelope => admitEnvelope(batch, envelope));
  const outcomes = admitted.map(one => one.outcomes);
  const left = batch.added.length > 0 ? await writeBatch(tx, batch, storedBefore) : collection;
  const entries = admitted.flatMap(({ entry }) => entry ?? []);
  await appendAuditRows(tx, collectionId, entries);
  return { outcomes, collection: left };
}

/** Decides what becomes of one envelope, and notes what is to be written. */
function admitEnvelope(batch: Batch, { sender, judged }: JudgedEnvelope): { outcomes: Outcome[]; entry?: ChainEntry } {
  const { now, added, dateAddedLast } = batch;
  // What has no version of its own gets the time it came (TAXII 2.1 §5.3.1: a value that is consistent to the server).
  const arrival = toInstant(now > dateAddedLast ? now : dateAddedLast);
  const before = added.length;
  const outcomes = judged.map(one => (isCandidate(one) ? admitObject(batch, sender, one, arrival) : one));
  const count = added.length - before;
  const dates = count > 0 ? chooseDates(dateAddedLast, now, count) : undefined;
  if (dates) {
    if (before === 0) batch.dateAddedFirst = dates.first;
    batch.dateAddedLast = dates.last;
    const laterMicros = Number(toMicros(dates.first) - toMicros(batch.dateAddedFirst));
    for (let n = 0; n < count; n += 1) (added[before + n] as NewVersion).laterMicros = laterMicros + n;
  }
  const details = countResults(outcomes);
  // That a partner tried to change another's object is told too; sending again what is there changes nothing.
  if (!dates && details.refused === 0) return { outcomes };
  const action = dates ? 'objects-added' : 'objects-refused';
  return { outcomes, entry: { actor: sender.actor, action, subject: sender.partner, details, dates } };
}

function admitObject(batch: Batch, sender: Sender, one: Candidate, arrival: string): Outcome {
  const { held, collection, stored } = batch;
  const { partnerId, quotaBytes = Infinity } = sender;
  const object = held.objects.get(one.id);
  const version = versionOf(one, object?.latest ?? arrival);
  const isOfAnother = isForeign(held, one.id, partnerId);
  // When an object of another partner came, the sender may not be allowed to know.
  const versionText = one.versionText ?? (isOfAnother ? 'unknown' : `${version}Z`);
  const same = object?.versions.get(version);
  const outcome = { id: one.id, version: versionText };
  if (same && isSameContent(same, one.bytes))
    return { ...outcome, result: 'present', message: 'already in the collection' };
  if (isOfAnother) return { ...outcome, result: 'refused', message: ownedByAnother };
  if (same) return { ...outcome, result: 'refused', message: otherContent };
  const tlp = one.tlp ?? collection.tlp_default;
  if (tlp > collection.tlp_max)
    return { ...outcome, result: 'refused', message: aboveMaximum(tlp, collection.tlp_max) };
  const storedBytes = stored.get(partnerId) ?? 0;
  if (storedBytes + one.bytes.length > quotaBytes) {
    return { ...outcome, result: 'refused', message: describeQuota(quotaBytes, storedBytes, one.bytes.length) };
  }
  stored.set(partnerId, storedBytes + one.bytes.length);
  addVersion(batch, partnerId, one, { version, versionText, tlp });
  return { ...outcome, result: 'added', ...(one.warning !== undefined && { message: one.warning }) };
}

function addVersion(
  { held, added, changed }: Batch,
  addedBy: string,
  { id: objectId, type, specVersion, bytes: text }: Candidate,
  { version, versionText, tlp }: Pick<NewVersion, 'version' | 'versionText' | 'tlp'>,
): void {
  const object = held.objects.get(objectId) ?? newHeldObject(addedBy, version);
  const { place, changed: others } = placeVersion(object.ends, { version, tlp });
  const newVersion = {
    addedBy,
    laterMicros: 0,
    objectId,
    version,
    versionText,
    type,
    specVersion,
    tlp,
    ...place,
    text,
  };
  object.versions.set(version, { text });
  object.ends = [...object.ends, newVersion].filter(isEnd);
  if (version > object.latest) object.latest = version;
  held.objects.set(objectId, object);
  noteOwner(held, objectId, addedBy);
  for (const other of others) changed.add(other);
  added.push(newVersion);
}

/** @returns the collection as it is then */
async function writeBatch(tx: Tx, batch: Batch, storedBefore: Map<string, number>): Promise<CollectionRow> {
  const { collection, added, changed, dateAddedFirst, dateAddedLast, stored } = batch;
  for (const one of added) changed.delete(one);
  await updateEnds(tx, collection.id, [...changed]);
  await insertVersions(tx, collection.id, dateAddedFirst, added);
  const bytes = [...stored].map(([id, bytes]) => [id, bytes - (storedBefore.get(id) ?? 0)] as const);
  await addStorage(tx, collection.id, new Map(bytes.filter(([, more]) => more > 0)));
  const levels = [...new Set(added.map(({ tlp }) => tlp))];
  return setDateAddedLast(tx, collection.id, dateAddedLast, { levels, isPastChanged: changed.size > 0 });
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
