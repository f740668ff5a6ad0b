// Beyond what any client sends: a hostile header must not take long to read.
const charactersMax = 1000;

/**
 * How long a client would wait for an answer: `Prefer: wait=30` (RFC 7240 §4.3), in seconds. Preferences that are not
 * understood or malformed are passed over, and of one that comes twice the first counts (§2).
 * @returns 0 where there is no such preference
 */
export function readWaitSeconds(prefer: string | string[] | undefined): number {
  if (prefer === undefined) return 0;
  const text = String(prefer);
  if (text.length > charactersMax) return 0;
  // Commas and semicolons within quotes separate nothing.
  const preferences = text.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? [];
  const wait = preferences.find(preference => /^\s*wait\s*(?:[=;]|$)/i.test(preference));
  const seconds = wait && /^\s*wait\s*=\s*(?:(\d{1,9})|"(\d{1,9})")\s*(?:;|$)/i.exec(wait);
  return seconds ? Number(seconds[1] ?? seconds[2]) : 0;
}
