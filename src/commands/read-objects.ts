import { isUtf8 } from 'node:buffer';
import { HubError, OperatorError } from '../errors.ts';
import { isRecord } from '../stix/object-types.ts';
import { type ObjectSlice, ObjectSlicer } from '../taxii/object-slices.ts';

/** What an input holds, one after the other. */
export type Reading =
  /** an element of a bundle, an envelope or a list, a document that is one object, or a line */
  | { kind: 'object'; value: unknown; memberCount: number }
  /** a line that is a bundle, whole */
  | { kind: 'bundle'; value: Record<string, unknown> }
  /** the properties of a document that is a bundle, without the objects that were read before */
  | { kind: 'shell'; value: Record<string, unknown> }
  | Unreadable;

/** What stands in the place of an object and is not even looked at. */
interface Unreadable {
  kind: 'unreadable';
  code: 'json-invalid' | 'object-nested-too-deep';
  /** where it says more than the catalogue does */
  message?: string;
}

const objectBytesMax = 32 * 1024 * 1024;
// What stands around the objects, and a document that is an object itself.
const shellBytesMax = 2 * objectBytesMax;
const nestingMax = 100;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);
const newline = 0x0a;
const noFrame = { start: Buffer.alloc(0), end: Buffer.alloc(0) };
// They make an envelope of a list, and a list of a value.
const listFrame = { start: Buffer.from('{"objects":'), end: Buffer.from('}') };
const valueFrame = { start: Buffer.from('{"objects":['), end: Buffer.from(']}') };

/**
 * Reads the objects of a document, which is one JSON value, or of JSON lines, which are one JSON value a line, in
 * memory for the largest object. A document is a bundle or an envelope, cut into its objects, a list of objects, or one
 * object. Lines are read on after a broken one.
 * @param options `hasLines` where that is known; else an input is lines that goes on after a first line which is whole
 * @throws OperatorError where a document is broken, with the byte, after what came before has been given
 */
export async function* readObjects(
  source: AsyncIterable<Buffer>,
  options: { hasLines: boolean },
): AsyncGenerator<Reading, void, undefined> {
  const rest = source[Symbol.asyncIterator]();
  try {
    const start = await readStart(rest);
    const markBytes = dropByteOrderMark(start);
    const first = start.map(chunk => chunk[skipBlank(chunk, 0)]).find(byte => byte !== undefined);
    if (first === undefined) throw new OperatorError('There is nothing in it.');
    const chunks = chain(start, rest);
    if (options.hasLines || beginsWithLine(start)) yield* readLines(chunks);
    else yield* readDocument(chunks, { isList: first === 0x5b, markBytes });
  } finally {
    await rest.return?.();
  }
}

/** The chunks up to where something follows the first line, or all where none does, or as many as a line may have. */
async function readStart(source: AsyncIterator<Buffer>): Promise<Buffer[]> {
  const start: Buffer[] = [];
  let bytes = 0;
  let isInLine = false;
  let isAfterLine = false;
  while (bytes <= objectBytesMax) {
    const next = await source.next();
    if (next.done) break;
    const chunk = next.value;
    start.push(chunk);
    bytes += chunk.length;
    let at: number = isInLine ? 0 : skipBlank(chunk, 0);
    isInLine ||= at < chunk.length;
    if (isInLine && !isAfterLine) {
      const end = chunk.indexOf(newline, at);
      isAfterLine = end !== -1;
      at = end;
    }
    if (isAfterLine && skipBlank(chunk, at) < chunk.length) break;
  }
  return start;
}

/** @returns how many bytes that were */
function dropByteOrderMark(start: Buffer[]): number {
  while (start[1] && (start[0] as Buffer).length < byteOrderMark.length) {
    start.splice(0, 2, Buffer.concat(start.slice(0, 2)));
  }
  const first = start[0];
  if (!first?.subarray(0, byteOrderMark.length).equals(byteOrderMark)) return 0;
  start[0] = first.subarray(byteOrderMark.length);
  return byteOrderMark.length;
}

function beginsWithLine(start: Buffer[]): boolean {
  if (!start.some(chunk => chunk.includes(newline))) return false;
  const bytes = Buffer.concat(start);
  const from = skipBlank(bytes, 0);
  const end = bytes.indexOf(newline, from);
  if (end === -1 || skipBlank(bytes, end) === bytes.length) return false;
  const line = readValue(bytes.subarray(from, end));
  return !(line.kind === 'unreadable' && line.code === 'json-invalid');
}

async function* chain(start: Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  // Taken out of the list, so that what has been read is free.
  for (let chunk = start.shift(); chunk; chunk = start.shift()) yield chunk;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Reading, void, undefined> {
  let parts: Buffer[] = [];
  let bytes = 0;
  const hold = (part: Buffer) => {
    bytes += part.length;
    if (bytes > objectBytesMax) parts = [];
    else parts.push(part);
  };
  const take = (): Reading | undefined => {
    const line = bytes > objectBytesMax ? undefined : Buffer.concat(parts);
    parts = [];
    bytes = 0;
    if (!line) return unreadable(`must be at most ${objectBytesMax.toLocaleString('en')} bytes long on a line`);
    return skipBlank(line, 0) < line.length ? readValue(line) : undefined;
  };

  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      hold(chunk.subarray(from, end));
      from = end + 1;
      const reading = take();
      if (reading) yield reading;
    }
    hold(chunk.subarray(from));
  }
  const last = take();
  if (last) yield last;
}

/**
 * Cuts a document into its objects. What the slicer refuses before the first of them may still be one object: that of an
 * observed-data has a member `objects` which is no list.
 */
async function* readDocument(
  chunks: AsyncIterable<Buffer>,
  { isList, markBytes }: { isList: boolean; markBytes: number },
): AsyncGenerator<Reading, void, undefined> {
  const frame = isList ? listFrame : noFrame;
  const shift = markBytes - frame.start.length;
  const slicer = new ObjectSlicer({ elementBytesMax: objectBytesMax });
  const shell = new Shell(markBytes);
  let failure: OperatorError | undefined;

  slicer.push(frame.start).next();
  for await (const chunk of chunks) {
    shell.add(chunk);
    try {
      for (const slice of failure ? [] : slicer.push(chunk)) {
        const offset = slice.offset + shift;
        shell.cut(offset, offset + slice.bytes.length);
        yield readElement(slice, offset);
      }
    } catch (error) {
      failure = toOperatorError(error, shift);
      if (shell.head) throw failure;
    }
    if (shell.tailBytes > shellBytesMax) throw failure ?? new OperatorError(tooLong('What stands around the objects'));
  }

  if (failure) yield readSingle(shell.tail, failure);
  else if (!endSlicer(slicer, frame.end, shift).hasObjects) yield readSingle(shell.tail);
  else if (isList) requireEndOfList(shell);
  else yield* readShell(shell);
}

function endSlicer(slicer: ObjectSlicer, frameEnd: Buffer, shift: number): { hasObjects: boolean } {
  try {
    slicer.push(frameEnd).next();
    return slicer.end();
  } catch (error) {
    // What ends the frame stands nowhere in the input.
    throw toOperatorError(error, shift - frameEnd.length);
  }
}

/** What stands around the objects of a document: all before the first, and what has come since the last. */
class Shell {
  /** undefined as long as there was no object */
  head: Buffer | undefined;
  tailOffset: number;
  #end: number;
  #tail: Buffer[] = [];

  constructor(offset: number) {
    this.tailOffset = offset;
    this.#end = offset;
  }

  get tail(): Buffer {
    return Buffer.concat(this.#tail);
  }

  get tailBytes(): number {
    return this.#end - this.tailOffset;
  }

  add(chunk: Buffer): void {
    this.#tail.push(chunk);
    this.#end += chunk.length;
  }

  /** Leaves an element out that ends in the last chunk, and what stands between it and the one before: a comma. */
  cut(from: number, to: number): void {
    this.head ??= Buffer.concat(this.#tail, from - this.tailOffset);
    const last = this.#tail.at(-1) as Buffer;
    this.#tail = [last.subarray(last.length - (this.#end - to))];
    this.tailOffset = to;
  }
}

/** @throws OperatorError where the whole document cannot be trusted */
function readElement(slice: ObjectSlice, offset: number): Reading {
  const place = `The object that starts at byte ${offset} is not valid`;
  if (!isUtf8(slice.bytes)) throw new OperatorError(`${place} UTF-8.`);
  if (slice.depth > nestingMax) return { kind: 'unreadable', code: 'object-nested-too-deep' };
  try {
    return { kind: 'object', value: JSON.parse(slice.bytes.toString()), memberCount: slice.memberCount };
  } catch {
    throw new OperatorError(`${place} JSON.`);
  }
}

function readSingle(json: Buffer, failure = new OperatorError('It is not valid JSON.')): Reading {
  if (json.length > objectBytesMax) throw new OperatorError(tooLong('The object'));
  const reading = readValue(json);
  if (reading.kind === 'unreadable') {
    if (reading.code === 'json-invalid') throw failure;
    return reading;
  }
  if (Array.isArray(reading.value) || (isRecord(reading.value) && Array.isArray(reading.value.objects))) throw failure;
  return reading.kind === 'bundle' ? { kind: 'shell', value: reading.value } : reading;
}

// The slicer has read a list as a member, which others could follow.
function requireEndOfList({ tail, tailOffset }: Shell): void {
  const end = skipBlank(tail, tail.indexOf(']') + 1);
  if (end === tail.length) return;
  throw new OperatorError(`It is not valid JSON: expected nothing after the end, at byte ${tailOffset + end}.`);
}

function* readShell({ head, tail }: Shell): Generator<Reading, void, undefined> {
  const reading = readValue(head ? Buffer.concat([head, Buffer.from('{}'), tail]) : tail);
  if (reading.kind === 'unreadable') {
    throw new OperatorError('What stands around the objects is nested too deep.');
  }
  if (reading.kind !== 'bundle') return;
  const { objects, ...properties } = reading.value;
  yield { kind: 'shell', value: head ? properties : reading.value };
}

function readValue(json: Buffer): Reading {
  if (!isUtf8(json)) return unreadable('must be valid UTF-8');
  const slice = sliceValue(json);
  if (slice === undefined) return unreadable();
  const { depth, memberCount } = slice;
  // The objects of a bundle stand two levels deeper.
  if (depth > nestingMax + 2) return { kind: 'unreadable', code: 'object-nested-too-deep' };
  try {
    const value = JSON.parse(json.toString());
    if (isRecord(value) && value.type === 'bundle') return { kind: 'bundle', value };
    if (depth > nestingMax) return { kind: 'unreadable', code: 'object-nested-too-deep' };
    return { kind: 'object', value, memberCount };
  } catch {
    return unreadable();
  }
}

/**
 * What is known of a value before it is parsed: JSON.parse takes seconds and gigabytes for millions of brackets.
 * @returns undefined where it does not end, so that it is no JSON
 */
function sliceValue(json: Buffer): ObjectSlice | undefined {
  const slicer = new ObjectSlicer({ elementBytesMax: json.length });
  try {
    const [slice] = slicer.push(Buffer.concat([valueFrame.start, json, valueFrame.end]));
    return slice;
  } catch {
    return undefined;
  }
}

function unreadable(message?: string): Reading {
  return { kind: 'unreadable', code: 'json-invalid', ...(message !== undefined && { message }) };
}

/** What the slicer says of a request's body, said of an input in which the same byte stands elsewhere. */
function toOperatorError(error: unknown, shift: number): OperatorError {
  if (error instanceof OperatorError) return error;
  if (!(error instanceof HubError)) throw error;
  const message = error.message.replace(/\bbody\b/, 'input');
  return new OperatorError(`${message.replace(/\d+$/, offset => String(Number(offset) + shift))}.`);
}

function tooLong(what: string): string {
  return `${what} is longer than ${objectBytesMax} bytes.`;
}

function skipBlank(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && isBlank(bytes[at] as number)) at += 1;
  return at;
}

/** The white space of RFC 8259 §2. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
