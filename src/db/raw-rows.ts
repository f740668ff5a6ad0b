import type { RawBuilder } from 'kysely';
import { appendDate, type DateRun, joinRuns } from '../taxii/date-runs.ts';
import { fromMicros, type TaxiiTimestamp } from '../taxii/timestamp.ts';
import { type Db, poolOf } from './pool.ts';
import type { RowClient } from './row-client.ts';
import type { RowSink } from './row-framing.ts';

/** Texts as they stand in the database, with their dates. */
export interface DatedTexts {
  /** in order, with the separator between them; cut anywhere */
  pieces: Buffer[];
  count: number;
  /** of the texts and what is between them */
  bytes: number;
  /** the dates in the first column, of the first and of the last text; undefined: there is none */
  dateFirst: TaxiiTimestamp | undefined;
  dateLast: TaxiiTimestamp | undefined;
  /** the dates in the second column */
  dates: DateRun[];
  /** whether rows follow */
  more: boolean;
}

export interface TextBounds {
  rowsMax: number;
  /** passed by the first text alone */
  bytesMax: number;
  separator: string;
  /** whether connections keep the plan of the statement, as `planName` in pool.ts has it */
  isPlanKept: boolean;
}

// To read these and drop them costs less than another connection.
const unwantedBytesMax = 2 ** 20;

/**
 * Reads texts as bytes. What goes beyond the bounds is dropped, and the connection given up where that is much.
 * @param statement of rows with two timestamps and a text; one row more than rowsMax tells whether rows follow
 */
export async function readTexts(
  db: Db,
  statement: RawBuilder<unknown>,
  { separator, isPlanKept, ...bounds }: TextBounds,
): Promise<DatedTexts> {
  const { sql: text, parameters: values } = statement.compile(db);
  const { pool, planName } = poolOf(db);
  const client = (await pool.connect()) as unknown as RowClient & { release(): void };
  const texts = new TextSink(Buffer.from(separator), bounds, () => client.abandon());
  try {
    await client.collect({ text, values, name: isPlanKept ? planName(text) : undefined }, texts);
  } catch (error) {
    if (!texts.isCut) throw error;
  } finally {
    client.release();
  }
  return texts.toDatedTexts();
}

const dateBytes = 8;
// PostgreSQL counts the microseconds from 2000-01-01 on.
const epochMicros = Date.UTC(2000, 0, 1) * 1000;

class TextSink implements RowSink {
  readonly columnsBefore = 2;
  readonly separator: Buffer;
  readonly #bounds: { rowsMax: number; bytesMax: number };
  readonly #cut: () => void;
  readonly #pieces: Buffer[] = [];
  readonly #dates: DateRun[] = [];
  #rows = 0;
  #bytes = 0;
  #first: number | undefined;
  #last: number | undefined;
  #more = false;
  #unwantedBytes = 0;
  isCut = false;

  constructor(separator: Buffer, bounds: { rowsMax: number; bytesMax: number }, cut: () => void) {
    this.separator = separator;
    this.#bounds = bounds;
    this.#cut = cut;
  }

  accept(bytes: Buffer, at: number, textBytes: number): boolean {
    const { rowsMax, bytesMax } = this.#bounds;
    if (this.#more || this.#rows === rowsMax || (this.#rows > 0 && this.#bytes + textBytes > bytesMax)) {
      this.#refuse(textBytes);
      return false;
    }
    this.#rows += 1;
    this.#bytes += textBytes;
    this.#last = readMicros(bytes, at + 4);
    this.#first ??= this.#last;
    appendDate(this.#dates, readMicros(bytes, at + 4 + dateBytes + 4));
    return true;
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece);
  }

  #refuse(textBytes: number): void {
    this.#more = true;
    this.#unwantedBytes += textBytes;
    if (this.#unwantedBytes <= unwantedBytesMax || this.isCut) return;
    this.isCut = true;
    this.#cut();
  }

  toDatedTexts(): DatedTexts {
    return {
      pieces: this.#pieces,
      count: this.#rows,
      bytes: this.#pieces.reduce((sum, piece) => sum + piece.length, 0),
      dateFirst: this.#first === undefined ? undefined : fromMicros(BigInt(this.#first)),
      dateLast: this.#last === undefined ? undefined : fromMicros(BigInt(this.#last)),
      dates: joinRuns(this.#dates),
      more: this.#more,
    };
  }
}

// A number holds them exactly up to the year 2255.
function readMicros(bytes: Buffer, at: number): number {
  return epochMicros + bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}
