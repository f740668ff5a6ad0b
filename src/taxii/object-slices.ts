import { isUtf8 } from 'node:buffer';
import { HubError } from '../errors.ts';

/** One element of `objects`, as it came. */
export interface ObjectSlice {
  /** The element without the whitespace around it: a view of the chunk, or a copy where it spans chunks. */
  bytes: Buffer;
  /** The deepest nesting of objects and lists: a scalar has 0, `{}` has 1. */
  depth: number;
  /** How many members the objects in it have: so many colons stand outside of strings. */
  memberCount: number;
  /** Where the element begins, in bytes from the start of the input. */
  offset: number;
}

type MemberState = 'start' | 'key-or-end' | 'key' | 'colon' | 'colon-list' | 'member' | 'list' | 'comma' | 'done';
type ListState = 'element-or-end' | 'element' | 'element-comma';
type ShellState = MemberState | ListState;
type ValueState = 'in-key' | 'in-member' | 'in-element';
type State = ShellState | ValueState;

/** What may follow in the shell (RFC 8259 §4 and §5), by its first byte, and how an error calls it. */
const shell: Record<ShellState, { expected: string; next: Record<string, State> }> = {
  start: { expected: "'{'", next: { '{': 'key-or-end' } },
  'key-or-end': { expected: "a member name or '}'", next: { '"': 'in-key', '}': 'done' } },
  key: { expected: 'a member name', next: { '"': 'in-key' } },
  colon: { expected: "':' after a member name", next: { ':': 'member' } },
  'colon-list': { expected: "':' after a member name", next: { ':': 'list' } },
  member: { expected: 'a value', next: anyValue('in-member') },
  list: { expected: "'['", next: { '[': 'element-or-end' } },
  comma: { expected: "',' or '}' after a member", next: { ',': 'key', '}': 'done' } },
  'element-or-end': { expected: "an object or ']'", next: { ...anyValue('in-element'), ']': 'comma' } },
  element: { expected: 'an object', next: anyValue('in-element') },
  'element-comma': { expected: "',' or ']' after an object", next: { ',': 'element', ']': 'comma' } },
  done: { expected: 'nothing after the end', next: {} },
};

const byteOrderMark = [0xef, 0xbb, 0xbf];
const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;

/**
 * Cuts an envelope (TAXII 2.1 §3.7) or a bundle (STIX 2.1 §8) into the objects it carries, byte for byte.
 *
 * The hub stores and sends an object as it came. JSON.parse and JSON.stringify do not keep it: they reorder members
 * with number-like names and write 1.10 as 1.1. So the elements of `objects` are found in the bytes, in one pass, in
 * chunks of any size, without recursion, holding no more than one element.
 *
 * The shell is judged here: the top-level object, its names and other members, the commas of the list. Of an element
 * only the end is found: whoever takes a slice gives it to JSON.parse, and where that throws, the whole input is
 * malformed. Together they accept what JSON.parse accepts, but the top must be an object, `objects` must be a list, and
 * it must not stand there twice: JSON.parse takes the last one silently, so that two readers could see two contents.
 * That the bytes of a slice are UTF-8 is for the caller to check.
 *
 * After an error, or where the loop over `push` was left early, a slicer is of no further use.
 */
export class ObjectSlicer {
  readonly #bytesMax: Record<ValueState, number>;
  #state: State = 'start';
  #hasObjects = false;
  /** The bytes of the chunks before this one, and how many of them are the byte order mark. */
  #consumed = 0;
  #markBytes = 0;

  // The value that is being read.
  #offset = 0;
  #isScalar = false;
  #isInString = false;
  /** The last chunk ended with a backslash, so the first byte of this one is escaped. */
  #isEscaped = false;
  #depth = 0;
  #deepest = 0;
  #memberCount = 0;
  /** What earlier chunks held of it. The room doubles when it is full, so that tiny chunks cost no more than large. */
  #room = Buffer.alloc(0);
  #held = 0;

  /** @param options the longest element, and the longest name or value of any other member (default 1 MiB) */
  constructor(options: { elementBytesMax: number; memberBytesMax?: number }) {
    const memberBytesMax = options.memberBytesMax ?? 1024 * 1024;
    this.#bytesMax = { 'in-key': memberBytesMax, 'in-member': memberBytesMax, 'in-element': options.elementBytesMax };
  }

  /** Yields the elements that end in this chunk. A generator, so that the caller can stop at a limit of its own. */
  *push(chunk: Buffer): Generator<ObjectSlice, void, undefined> {
    let at = this.#skipByteOrderMark(chunk);
    while (at < chunk.length) {
      if (!isValueState(this.#state)) {
        at = skipWhitespace(chunk, at);
        if (at === chunk.length) break;
        this.#state = this.#follow(this.#state, chunk[at] as number, this.#consumed + at);
        if (!isValueState(this.#state)) {
          at += 1;
          continue;
        }
      }
      const end = this.#findEnd(chunk, at);
      this.#keepWithinMax(this.#state, (end ?? chunk.length) - at);
      if (end === undefined) {
        this.#hold(chunk.subarray(at));
        break;
      }
      const bytes = this.#take(chunk.subarray(at, end));
      if (this.#state === 'in-element') {
        yield { bytes, depth: this.#deepest, memberCount: this.#memberCount, offset: this.#offset };
      }
      this.#state = this.#leave(this.#state, bytes);
      at = end;
    }
    this.#consumed += chunk.length;
  }

  /** Says that the input is over, and learns whether there was a member `objects`. */
  end(): { hasObjects: boolean } {
    if (isValueState(this.#state)) throw malformed('it ends inside a value', this.#consumed);
    if (this.#state !== 'done') throw malformed(`it ends before ${shell[this.#state].expected}`, this.#consumed);
    return { hasObjects: this.#hasObjects };
  }

  /** RFC 8259 §8.1: a reader may ignore a byte order mark, and editors on Windows write one. */
  #skipByteOrderMark(chunk: Buffer): number {
    let at = 0;
    while (this.#markBytes === this.#consumed + at && at < chunk.length) {
      if (chunk[at] !== byteOrderMark[this.#markBytes]) break;
      this.#markBytes += 1;
      at += 1;
    }
    const isCut = this.#markBytes > 0 && this.#markBytes < byteOrderMark.length;
    if (isCut && at < chunk.length) throw malformed('incomplete byte order mark', 0);
    return at;
  }

  #follow(state: ShellState, byte: number, offset: number): State {
    const next = shell[state].next[String.fromCharCode(byte)];
    if (next === undefined) {
      if (state === 'list') throw refused('The member objects of the body is not a list', offset);
      throw malformed(`expected ${shell[state].expected}`, offset);
    }
    if (isValueState(next)) {
      this.#offset = offset;
      this.#isScalar = byte !== quote && !isOpening(byte);
      this.#deepest = 0;
      this.#memberCount = 0;
    }
    return next;
  }

  /**
   * The index after the value's last byte, or undefined where the chunk ends first. Which bracket closes which does not
   * matter here: a slice with a wrong one is no JSON. The loops are tight because every byte of the input passes here.
   */
  #findEnd(chunk: Buffer, from: number): number | undefined {
    const length = chunk.length;
    let at = from;
    if (this.#isScalar) {
      while (at < length && !isAfterScalar(chunk[at] as number)) at += 1;
      return at < length ? at : undefined;
    }
    let depth = this.#depth;
    let deepest = this.#deepest;
    let memberCount = this.#memberCount;
    let isInString = this.#isInString;
    let isOver = false;
    if (this.#isEscaped) at += 1;
    while (at < length && !isOver) {
      if (isInString) {
        let byte = 0;
        while (at < length) {
          byte = chunk[at++] as number;
          if (byte === quote) break;
          if (byte === backslash) at += 1;
        }
        isInString = byte !== quote;
        isOver = !isInString && depth === 0;
      } else {
        const byte = chunk[at++] as number;
        if (byte === quote) isInString = true;
        else if (isOpening(byte)) {
          depth += 1;
          if (depth > deepest) deepest = depth;
        } else if (isClosing(byte)) {
          depth -= 1;
          isOver = depth === 0;
        } else if (byte === colon) memberCount += 1;
      }
    }
    this.#depth = depth;
    this.#deepest = deepest;
    this.#memberCount = memberCount;
    this.#isInString = isInString;
    this.#isEscaped = at > length;
    return isOver ? at : undefined;
  }

  #keepWithinMax(state: ValueState, bytesMore: number): void {
    const bytesMax = this.#bytesMax[state];
    if (this.#held + bytesMore <= bytesMax) return;
    const what = state === 'in-element' ? 'An object' : 'A member';
    throw refused(`${what} of the body is longer than ${bytesMax} bytes`, this.#offset);
  }

  #hold(part: Buffer): void {
    const held = this.#held + part.length;
    if (held > this.#room.length) {
      const room = Buffer.allocUnsafe(Math.max(held, this.#room.length * 2));
      this.#room.copy(room, 0, 0, this.#held);
      this.#room = room;
    }
    part.copy(this.#room, this.#held);
    this.#held = held;
  }

  #take(part: Buffer): Buffer {
    if (this.#held === 0) return part;
    this.#hold(part);
    const bytes = this.#room.subarray(0, this.#held);
    this.#room = Buffer.alloc(0);
    this.#held = 0;
    return bytes;
  }

  #leave(state: ValueState, bytes: Buffer): State {
    if (state === 'in-element') return 'element-comma';
    if (!isUtf8(bytes)) throw malformed('a member is not valid UTF-8', this.#offset);
    const value = parseMember(bytes, this.#offset);
    if (state === 'in-member') return 'comma';
    if (value !== 'objects') return 'colon';
    if (this.#hasObjects) throw refused('The body has the member objects twice', this.#offset);
    this.#hasObjects = true;
    return 'colon-list';
  }
}

function anyValue(state: ValueState): Record<string, State> {
  return Object.fromEntries([...'"{[-0123456789tfn'].map(first => [first, state]));
}

function isValueState(state: State): state is ValueState {
  return state === 'in-element' || state === 'in-key' || state === 'in-member';
}

function skipWhitespace(chunk: Buffer, from: number): number {
  let at = from;
  while (at < chunk.length && isWhitespace(chunk[at] as number)) at += 1;
  return at;
}

function isWhitespace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** `[` or `{`, which differ in one bit. */
function isOpening(byte: number): boolean {
  return (byte | 0x20) === 0x7b;
}

/** `]` or `}`. */
function isClosing(byte: number): boolean {
  return (byte | 0x20) === 0x7d;
}

function isAfterScalar(byte: number): boolean {
  return byte === 0x2c || isClosing(byte) || isWhitespace(byte);
}

function parseMember(bytes: Buffer, offset: number): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw malformed('a member is malformed', offset, cause);
  }
}

function malformed(what: string, offset: number, cause?: unknown): HubError {
  return refused(`The body is not valid JSON: ${what}`, offset, cause);
}

function refused(what: string, offset: number, cause?: unknown): HubError {
  return new HubError('envelope-malformed', `${what}, at byte ${offset}`, { cause });
}
