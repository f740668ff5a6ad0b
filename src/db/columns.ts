import { type RawBuilder, sql } from 'kysely';

// Columns travel as one text each, split by PostgreSQL: arrays cost pg several times the insert itself. The separator
// is a control character, which neither an identifier nor JSON text can hold.
const separator = '\x1e';
const between = Buffer.from(separator);

/** One column of many rows, as one parameter. */
export function splitText<Row>(rows: Row[], value: (row: Row) => string): RawBuilder<unknown> {
  return sql`string_to_array(${rows.map(value).join(separator)}, ${separator})`;
}

/** The same of texts that are bytes already, and need no decoding on their way to PostgreSQL. */
export function splitBytes<Row>(rows: Row[], value: (row: Row) => Buffer): RawBuilder<unknown> {
  const parts = rows.flatMap((row, index) => (index === 0 ? [value(row)] : [between, value(row)]));
  return sql`string_to_array(${Buffer.concat(parts)}, ${separator})`;
}
