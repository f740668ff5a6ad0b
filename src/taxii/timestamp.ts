/** `YYYY-MM-DDTHH:MM:SS.ssssssZ`, exactly six fraction digits, UTC (TAXII 2.1 §2). Sorts bytewise. */
export type TaxiiTimestamp = string;

/** Before every date that a collection can give. */
export const beginning: TaxiiTimestamp = '0001-01-01T00:00:00.000000Z';

/** After every date that a collection can give. */
export const end: TaxiiTimestamp = '9999-12-31T23:59:59.999999Z';

// RFC 3339 with any number of fraction digits and any offset. A `+` that was not percent-encoded arrives as a space.
const rfc3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,30}))?(?:[Zz]|([+\- ])(\d{2}):?(\d{2}))$/;

/**
 * Reads what clients send as `added_after`: more forms than TAXII 2.1 §2 allows, since real pollers send RFC 3339 with
 * 0 to 9 fraction digits and offsets. Digits beyond microseconds are cut off, which changes nothing for an exclusive
 * bound on whole microseconds.
 * @returns undefined where the text is no date that exists
 */
export function parseTimestamp(text: string): TaxiiTimestamp | undefined {
  const match = rfc3339.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHours, offsetMinutes] = match;
  const utc = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second === '60' ? '59' : second}.000Z`);
  // Date rolls 30 February over into March, so the day must come out as it went in.
  if (Number.isNaN(utc.getTime()) || utc.getUTCDate() !== Number(day) || Number(hour) > 23) return undefined;
  if (Number(offsetHours ?? 0) > 23 || Number(offsetMinutes ?? 0) > 59) return undefined;
  const offset = (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * (sign === '-' ? -1 : 1);
  const instant = new Date(utc.getTime() - offset * 60_000 + (second === '60' ? 1000 : 0));
  const instantYear = instant.getUTCFullYear();
  if (instantYear < 1 || instantYear > 9999) return undefined;
  return `${instant.toISOString().slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, '0')}Z`;
}

/** Microseconds since 1970 of a TaxiiTimestamp. */
export function toMicros(timestamp: TaxiiTimestamp): bigint {
  return BigInt(Date.parse(`${timestamp.slice(0, 19)}Z`)) * 1000n + BigInt(timestamp.slice(20, 26));
}

/** The TaxiiTimestamp of microseconds since 1970 (years 1 to 9999). */
export function fromMicros(micros: bigint): TaxiiTimestamp {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((micros - fraction) / 1000n)).toISOString().slice(0, 19);
  return `${seconds}.${fraction.toString().padStart(6, '0')}Z`;
}
