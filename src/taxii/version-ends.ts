import type { VersionEnds } from '../db/versions.ts';
import type { TlpLevel } from '../stix/tlp.ts';

/** Where there are no earlier or later versions: above every level. */
const none = 5;

/**
 * Finds the place of a new version among those of its object: for which ceilings it is the first or the last one, and for
 * which others no longer are.
 * @param ends the versions that are the first or the last for any ceiling; at most ten. They are changed where they must be
 * @returns the place of the new one, and those of the others that were changed
 */
export function placeVersion<Ends extends VersionEnds>(
  ends: Ends[],
  { version, tlp }: { version: string; tlp: TlpLevel },
): { place: Pick<VersionEnds, 'first_below' | 'last_below'>; changed: Ends[] } {
  const place = { first_below: none, last_below: none };
  const changed: Ends[] = [];
  for (const other of ends) {
    const [mine, theirs] =
      other.version < version ? (['first_below', 'last_below'] as const) : (['last_below', 'first_below'] as const);
    place[mine] = Math.min(place[mine], other.tlp);
    if (tlp >= other[theirs]) continue;
    other[theirs] = tlp;
    changed.push(other);
  }
  return { place, changed };
}

/** Whether a version is the first or the last one for any ceiling. For the others their ends are of no matter. */
export function isEnd({ tlp, first_below, last_below }: VersionEnds): boolean {
  return first_below > tlp || last_below > tlp;
}
