// The standard sets no end to the fraction; the hub does, since a version is a key of an index.
const form = /^\d{4}-(?:0[1-9]|1[0-2])-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,100})?Z$/;
const certainDays = 28;
const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Whether a text is a STIX timestamp (STIX 2.1 §2.16.1): RFC 3339 in UTC, with `T` and `Z` in upper case, 1 to 100
 * fraction digits or none, on a date that exists. A second of 60 stands only where a leap second can be: at 23:59:60.
 */
export function isTimestamp(text: string): boolean {
  if (!form.test(text)) return false;
  const day = Number(text.slice(8, 10));
  if (day < 1 || (day > certainDays && day > daysOf(text))) return false;
  return !text.startsWith(':60', 16) || text.startsWith('T23:59', 10);
}

function daysOf(text: string): number {
  const year = Number(text.slice(0, 4));
  const month = Number(text.slice(5, 7));
  const isLeapYear = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && isLeapYear ? 29 : (daysInMonth[month - 1] as number);
}

/**
 * The instant that a timestamp names, as a text that sorts bytewise in the order of time: `YYYY-MM-DDTHH:MM:SS`, then
 * `.` and the fraction without trailing zeros where it is not zero. No digit is lost, so two timestamps name the same
 * instant exactly when these texts are equal.
 * @param timestamp a text that satisfies isTimestamp
 */
export function toInstant(timestamp: string): string {
  const zero = '0'.charCodeAt(0);
  let end = timestamp.length - 1;
  while (timestamp.charCodeAt(end - 1) === zero) end -= 1;
  // Where there is no fraction, or none is left, the seconds end at the 19th character.
  return timestamp.slice(0, end > 20 ? end : 19);
}

/** The instant that a value names, or undefined where it is no timestamp. */
export function instantOf(value: unknown): string | undefined {
  return typeof value === 'string' && isTimestamp(value) ? toInstant(value) : undefined;
}

/**
 * The instant of microseconds since 1970, as toInstant writes it.
 * @throws RangeError outside of the years 0 to 9999, which have no RFC 3339 text
 */
export function instantOfMicros(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((micros - fraction) / 1000n)).toISOString();
  if (seconds.length !== 24) throw new RangeError(`no four-digit year: ${seconds}`);
  return toInstant(`${seconds.slice(0, 19)}.${fraction.toString().padStart(6, '0')}Z`);
}
