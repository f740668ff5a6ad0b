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
  const [
    ,
    year = '',
    month,
    day,
    hour = '',
    minute = '',
    second = '',
    fraction = '',
    sign,
    offsetHours,
    offsetMinutes,
  ] = match;
  if (!isOnCalendar(Number(year), Number(month), Number(day)) || hour > '23' || minute > '59' || second > '60') {
    return undefined;
  }
  const micros = fraction.slice(0, 6).padEnd(6, '0');
  // Most come as the hub itself writes them, and stay as they are.
  if (sign === undefined && second !== '60') {
    return year === '0000' ? undefined : `${text.slice(0, 10)}T${text.slice(11, 19)}.${micros}Z`;
  }
  if (Number(offsetHours ?? 0) > 23 || Number(offsetMinutes ?? 0) > 59) return undefined;
  const offset = (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * (sign === '-' ? -1 : 1);
  const [isLeapSecond, wholeSecond] = second === '60' ? [true, '59'] : [false, second];
  const utc = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${wholeSecond}.000Z`);
  const instant = new Date(utc - offset * 60_000 + (isLeapSecond ? 1000 : 0));
  const instantYear = instant.getUTCFullYear();
  if (instantYear < 1 || instantYear > 9999) return undefined;
  return `${instant.toISOString().slice(0, 19)}.${micros}Z`;
}

function isOnCalendar(year: number, month: number, day: number): boolean {
  const isLeapYear = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = month === 2 ? (isLeapYear ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return month >= 1 && month <= 12 && day >= 1 && day <= days;
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
