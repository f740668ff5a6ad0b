import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Tx } from '../db/pool.ts';
import { findStoredTexts, type KnownVersion, type VersionEnds } from '../db/versions.ts';
import { toInstant } from '../stix/timestamp.ts';
import { withoutDefaults } from '../stix/versions.ts';
import type { Candidate } from './judging.ts';

/** What a collection holds of the objects that are coming. Whoever adds some notes them here, for those that follow. */
export interface HeldObjects {
  objects: Map<string, HeldObject>;
  /** who has added an id in another letter case, by the id in lower case */
  owners: Map<string, Set<string>>;
}

/** What it holds of one object id. */
export interface HeldObject {
  owner: string;
  /** its latest version, whoever may see it */
  latest: string;
  versions: Map<string, HeldVersion>;
  /** those that are the first or the last for any ceiling */
  ends: Ends[];
}

export type Ends = VersionEnds & { objectId: string };

/** sha256 of the stored text in hexadecimal, and the text itself where that was needed or has just come. */
export interface HeldVersion {
  sha256?: string;
  text?: Buffer | string;
}

/** An object of which no version is noted yet. */
export function newHeldObject(owner: string, latest: string): HeldObject {
  return { owner, latest, versions: new Map(), ends: [] };
}

/** Notes what a collection holds of these objects. The caller holds its lock. */
export function noteHeld(
  held: HeldObjects,
  known: KnownVersion[],
  spellings: { id: string; added_by: string }[],
): void {
  for (const row of known) {
    const { object_id: objectId, added_by: owner, version, tlp, first_below, last_below, sha256 } = row;
    const object = held.objects.get(objectId) ?? newHeldObject(owner, version);
    // An id may be in several pieces of what is coming.
    if (object.versions.has(version)) continue;
    object.versions.set(version, { sha256 });
    object.ends.push({ objectId, version, tlp, first_below, last_below });
    if (version > object.latest) object.latest = version;
    held.objects.set(objectId, object);
  }
  for (const { id, added_by } of spellings) noteOwner(held, id, added_by);
}

/** Notes who has added an object id. */
export function noteOwner({ owners }: HeldObjects, objectId: string, partnerId: string): void {
  const id = objectId.toLowerCase();
  const ofId = owners.get(id);
  if (ofId) ofId.add(partnerId);
  else owners.set(id, new Set([partnerId]));
}

/** Whether an object id is another partner's, in whatever letter case. */
export function isForeign({ objects, owners }: HeldObjects, objectId: string, partnerId: string): boolean {
  const owner = objects.get(objectId)?.owner;
  if (owner !== undefined) return owner !== partnerId;
  return [...(owners.get(objectId.toLowerCase()) ?? [])].some(other => other !== partnerId);
}

// JSON that says the same is of similar length. So what is fetched and parsed stays in proportion to what was sent.
const timesLongerMax = 4;

/**
 * Fetches the stored texts of versions that come with other bytes: only then does it take them to say whether the content is
 * the same.
 */
export async function fetchUnequalTexts(
  tx: Tx,
  collectionId: string,
  candidates: Candidate[],
  objects: Map<string, HeldObject>,
): Promise<void> {
  const unequal = candidates.flatMap(one => {
    const object = objects.get(one.id);
    const version = versionOf(one, object?.latest ?? '');
    const stored = object?.versions.get(version);
    if (!stored || sha256(one.bytes) === stored.sha256) return [];
    return [{ objectId: one.id, version, bytesMax: timesLongerMax * one.bytes.length }];
  });
  if (unequal.length === 0) return;
  for (const row of await findStoredTexts(tx, collectionId, unequal)) {
    const stored = objects.get(row.object_id)?.versions.get(row.version);
    if (stored) stored.text = row.object;
  }
}

/** Whether two texts are the same content, whatever their white space, order of keys and defaults that are left out. */
export function isSameContent(stored: HeldVersion, bytes: Buffer): boolean {
  if (stored.sha256 === sha256(bytes)) return true;
  if (stored.text === undefined || stored.text.length > timesLongerMax * bytes.length) return false;
  const [content, other] = [stored.text, bytes].map(text => withoutDefaults(JSON.parse(text.toString())));
  return isDeepStrictEqual(content, other);
}

/** The instant that names a version, or what is given where the object has none of its own. */
export function versionOf(candidate: Candidate, whereUnversioned: string): string {
  return candidate.versionText === undefined ? whereUnversioned : toInstant(candidate.versionText);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
