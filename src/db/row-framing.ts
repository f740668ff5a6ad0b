/** Where rows go that are not made strings. */
export interface RowSink {
  /** how many columns stand before the text, which is the last one */
  columnsBefore: number;
  /** what comes between two texts: a few bytes */
  separator: Buffer;
  /**
   * A row begins.
   * @param bytes hold at `at` the columns before the text, each as PostgreSQL sends it: its length (-1: NULL), then its bytes
   * @param textBytes the length of its text
   * @returns whether the text is wanted
   */
  accept(bytes: Buffer, at: number, textBytes: number): boolean;
  /** The next piece of the texts that are wanted and of what comes between them. */
  push(piece: Buffer): void;
}

const dataRow = 0x44;
// What a message begins with: its kind, and its length without that byte. A row goes on with the count of its columns.
const kindBytes = 1;
const headerBytes = 5;
const countBytes = 2;
const lengthBytes = 4;
const none = Buffer.alloc(0);

/**
 * Cuts what PostgreSQL sends into messages by their lengths, wherever the network has cut it ("Message Formats" in
 * PostgreSQL's documentation). The DataRow messages of a query whose rows are collected go to its sink; all other bytes are
 * passed on as they came.
 */
export class RowFraming {
  readonly #passOn: (bytes: Buffer) => void;
  #sink: RowSink | undefined;
  #isFirst = true;
  /** the beginning of a message of which not enough has come to know what it is */
  #begun: Buffer = none;
  /** how much of the message that has begun is still to come, and what it is */
  #left = 0;
  #kind: 'other' | 'wanted' | 'unwanted' = 'other';

  constructor(passOn: (bytes: Buffer) => void) {
    this.#passOn = passOn;
  }

  /** The rows that come from now on go to the sink; `undefined`: they are passed on. Call it while no query is under way. */
  collect(sink: RowSink | undefined): void {
    this.#sink = sink;
    this.#isFirst = true;
  }

  /** Takes the next bytes, and may move them about: nobody else holds them. */
  take(chunk: Buffer): void {
    const bytes = this.#begun === none ? chunk : Buffer.concat([this.#begun, chunk]);
    this.#begun = none;
    let at = 0;
    while (at < bytes.length) {
      const end = this.#sink && this.#isRow(bytes, at) ? this.#takeRows(bytes, at) : this.#takeOthers(bytes, at);
      // What is left does not tell yet what it is.
      if (end === at) break;
      at = end;
    }
    if (at < bytes.length) this.#begun = bytes.subarray(at);
  }

  #isRow(bytes: Buffer, at: number): boolean {
    return this.#left > 0 ? this.#kind !== 'other' : bytes[at] === dataRow;
  }

  /** @returns where the messages end that are no rows to collect, or what has come of them */
  #takeOthers(bytes: Buffer, start: number): number {
    let at = start + this.#takeLeft(bytes, start);
    while (at + headerBytes <= bytes.length && !(this.#sink && bytes[at] === dataRow)) {
      this.#kind = 'other';
      this.#left = kindBytes + bytes.readUInt32BE(at + kindBytes);
      at += this.#takeLeft(bytes, at);
    }
    if (at > start) this.#passOn(start === 0 && at === bytes.length ? bytes : bytes.subarray(start, at));
    return at;
  }

  /** Moves the texts of rows together, to the left, so that they are one piece. @returns where the rows end */
  #takeRows(bytes: Buffer, start: number): number {
    const sink = this.#sink as RowSink;
    let pieceEnd = start;
    let at = start;
    for (;;) {
      const length = this.#takeLeft(bytes, at);
      if (this.#kind === 'wanted' && length > 0) {
        bytes.copyWithin(pieceEnd, at, at + length);
        pieceEnd += length;
      }
      at += length;
      const textAt = at < bytes.length && bytes[at] === dataRow ? findText(bytes, at, sink.columnsBefore) : undefined;
      if (textAt === undefined) break;
      this.#left = at + kindBytes + bytes.readUInt32BE(at + kindBytes) - textAt;
      this.#kind = sink.accept(bytes, at + headerBytes + countBytes, this.#left) ? 'wanted' : 'unwanted';
      if (this.#kind === 'wanted' && !this.#isFirst) pieceEnd += sink.separator.copy(bytes, pieceEnd);
      if (this.#kind === 'wanted') this.#isFirst = false;
      at = textAt;
    }
    if (pieceEnd > start) sink.push(bytes.subarray(start, pieceEnd));
    return at;
  }

  /** @returns how much of the message that has begun is here */
  #takeLeft(bytes: Buffer, at: number): number {
    const length = Math.min(this.#left, bytes.length - at);
    this.#left -= length;
    return length;
  }
}

/** Where the text of the row at `at` begins. undefined: not all that stands before it has come */
function findText(bytes: Buffer, at: number, columnsBefore: number): number | undefined {
  let next = at + headerBytes + countBytes;
  for (let column = 0; column < columnsBefore; column += 1) {
    if (next + lengthBytes > bytes.length) return undefined;
    next += lengthBytes + Math.max(0, bytes.readInt32BE(next));
  }
  next += lengthBytes;
  return next <= bytes.length ? next : undefined;
}
