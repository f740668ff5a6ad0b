import type { ChainEntry } from '../db/audit.ts';
import type { CollectionRow } from '../db/collections.ts';
import type { NewVersion } from '../db/versions.ts';
import { toInstant } from '../stix/timestamp.ts';
import { describeTlp, type TlpLevel } from '../stix/tlp.ts';
import type { JudgedEnvelope, Sender } from './admission.ts';
import { chooseDates } from './dates.ts';
import {
  type Ends,
  type HeldObjects,
  isForeign,
  isSameContent,
  newHeldObject,
  noteOwner,
  versionOf,
} from './held-objects.ts';
import { type Candidate, isCandidate, type Outcome } from './judging.ts';
import { type TaxiiTimestamp, toMicros } from './timestamp.ts';
import type { Turn } from './turns.ts';
import { isEnd, placeVersion } from './version-ends.ts';

/** What a transaction knows of a collection whose lock it holds, and is about to write. */
export interface Batch {
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

/** Decides what becomes of one envelope, as if those before it had been committed, and notes what is to be written. */
export async function addToBatch(
  batch: Batch,
  { sender, judged }: JudgedEnvelope,
  turn: Turn,
): Promise<{ outcomes: Outcome[]; entry?: ChainEntry }> {
  const { now, added, dateAddedLast } = batch;
  // What has no version of its own gets the time it came (TAXII 2.1 §5.3.1: a value that is consistent to the server).
  const arrival = toInstant(now > dateAddedLast ? now : dateAddedLast);
  const before = added.length;
  const outcomes: Outcome[] = [];
  for (const one of judged) {
    if (turn.isOver()) await turn.next();
    outcomes.push(isCandidate(one) ? admitObject(batch, sender, one, arrival) : one);
  }
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
