import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubError } from '../../src/errors.ts';
import { type ObjectSlice, ObjectSlicer } from '../../src/taxii/object-slices.ts';

const mebibyte = 1024 * 1024;

interface Cut {
  slices: ObjectSlice[];
  hasObjects: boolean;
}

function cut(input: Buffer | string, chunkBytes: number[] = [], limits = { elementBytesMax: 64 * mebibyte }): Cut {
  const slicer = new ObjectSlicer(limits);
  const slices = [...chunksOf(Buffer.from(input), chunkBytes)].flatMap(chunk => [...slicer.push(chunk)]);
  return { slices, ...slicer.end() };
}

/** Chunks of the given sizes, again and again; one chunk where no size is given. */
function* chunksOf(bytes: Buffer, sizes: number[]): Generator<Buffer> {
  if (sizes.length === 0) {
    yield bytes;
    return;
  }
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] as number;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

function texts(input: Buffer | string, chunkBytes: number[] = []): string[] {
  return cut(input, chunkBytes).slices.map(slice => slice.bytes.toString());
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof HubError && error.code === 'envelope-malformed') return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** The splitter and JSON.parse of each slice, together: undefined where either of them refuses. */
function readInSlices(bytes: Buffer, chunkBytes: number[]): { objects: unknown[] | undefined } | { refusal: string } {
  let result: Cut;
  try {
    result = cut(bytes, chunkBytes);
  } catch (error) {
    if (error instanceof HubError) return { refusal: error.message };
    throw error;
  }
  for (const slice of result.slices) {
    const end = slice.offset + slice.bytes.length;
    expect(slice.bytes.equals(bytes.subarray(slice.offset, end)), 'a slice is what stands at its offset').toBe(true);
    expect(slice.bytes.toString()).not.toMatch(/^[ \t\n\r]|[ \t\n\r]$/);
  }
  // Of a member the slicer says it.
  if (!result.slices.every(slice => isUtf8(slice.bytes))) return { refusal: 'an object is not valid UTF-8' };
  try {
    const objects = result.slices.map(slice => JSON.parse(slice.bytes.toString()) as unknown);
    expect(result.slices.map(slice => slice.depth)).toEqual(result.slices.map(depthOf));
    return { objects: result.hasObjects ? objects : undefined };
  } catch (error) {
    if (error instanceof SyntaxError) return { refusal: error.message };
    throw error;
  }
}

/** What JSON.parse makes of the whole, or undefined where the whole is no JSON object with at most a list `objects`. */
function readWhole(bytes: Buffer): { objects: unknown[] | undefined } | undefined {
  if (!isUtf8(bytes)) return undefined;
  let document: unknown;
  try {
    document = JSON.parse(bytes.toString().replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return undefined;
  if (!Object.hasOwn(document, 'objects')) return { objects: undefined };
  const { objects } = document as { objects: unknown };
  return Array.isArray(objects) ? { objects } : undefined;
}

/** Nesting as written: of two members of one name JSON.parse keeps the last, but the text is as deep as the deeper. */
function depthOf(slice: ObjectSlice): number {
  let depth = 0;
  let deepest = 0;
  for (const bracket of slice.bytes.toString().replaceAll(/"(?:\\.|[^"\\])*"|[^[\]{}]/g, '')) {
    depth += '[{'.includes(bracket) ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** Splitter and JSON.parse agree on this input, in these chunks. */
function expectAgreement(bytes: Buffer, chunkBytes: number[]): void {
  const sliced = readInSlices(bytes, chunkBytes);
  const whole = readWhole(bytes);
  if (!('refusal' in sliced)) {
    expect(sliced).toEqual(whole);
    return;
  }
  const offset = Number(/\d+$/.exec(sliced.refusal)?.[0]);
  if (whole === undefined) return;
  if (sliced.refusal.startsWith('The body has the member objects twice')) expectSecondObjects(bytes, offset);
  // JSON.parse takes the last of two members of one name, so the first may be no list where the last is one.
  else if (sliced.refusal.startsWith('The member objects of the body is not a list')) expectNoList(bytes, offset);
  else expect.fail(`JSON.parse takes what the slicer refuses: ${sliced.refusal}`);
}

/** A second member of the top-level object named `objects` begins at the offset. */
function expectSecondObjects(bytes: Buffer, offset: number): void {
  const name = /^"[^"]*"/.exec(bytes.subarray(offset).toString())?.[0] ?? '';
  expect(JSON.parse(name)).toBe('objects');
  expect(Object.keys(JSON.parse(`${textBefore(bytes, offset)}"":0}`))).toContain('objects');
}

/** The value of a member of the top-level object named `objects` begins at the offset, and is no list. */
function expectNoList(bytes: Buffer, offset: number): void {
  expect(String.fromCharCode(bytes[offset] as number)).not.toBe('[');
  expect(JSON.parse(`${textBefore(bytes, offset)}0}`)).toHaveProperty('objects', 0);
}

function textBefore(bytes: Buffer, offset: number): string {
  return bytes
    .subarray(0, offset)
    .toString()
    .replace(/^\uFEFF/, '');
}

const whitespace = fc.array(fc.constantFrom(' ', '\t', '\n', '\r'), { maxLength: 3 }).map(spaces => spaces.join(''));
const padded = (text: fc.Arbitrary<string>) => fc.tuple(whitespace, text, whitespace).map(parts => parts.join(''));

const jsonString = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 4 }).map(text => JSON.stringify(text).slice(1, -1)),
      fc.constantFrom(
        '\\"',
        '\\\\',
        '\\/',
        '\\u006f',
        '\\uD83D\\uDE00',
        '\\ud800',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        'é',
        '😀',
      ),
    ),
    { maxLength: 5 },
  )
  .map(parts => `"${parts.join('')}"`);

const scalar = fc.oneof(
  jsonString,
  fc.constantFrom('null', 'true', 'false', '0', '-0', '1.10', '1e5', '-1.5E-7', '12345678901234567890'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(number => JSON.stringify(number)),
);

const { value } = fc.letrec<{ value: string; list: string; object: string }>(tie => ({
  value: fc.oneof({ maxDepth: 4, withCrossShrink: true }, scalar, tie('list'), tie('object')),
  list: listOf(tie('value')),
  object: objectOf(fc.tuple(jsonString, tie('value'))),
}));

function listOf(element: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(whitespace, fc.array(padded(element), { maxLength: 4 })).map(([inner, elements]) => {
    return elements.length === 0 ? `[${inner}]` : `[${elements.join(',')}]`;
  });
}

function objectOf(member: fc.Arbitrary<[string, string]>): fc.Arbitrary<string> {
  const pair = fc.tuple(padded(member.map(([name]) => name)), padded(member.map(([, inner]) => inner)));
  return fc.tuple(whitespace, fc.array(pair, { maxLength: 4 })).map(([inner, pairs]) => {
    return pairs.length === 0 ? `{${inner}}` : `{${pairs.map(([name, text]) => `${name}:${text}`).join(',')}}`;
  });
}

const objectsName = fc.constantFrom('"objects"', '"\\u006fbjects"', '"object\\u0073"', '"o\\u0062\\u006Aects"');
const otherMember = fc.tuple(fc.oneof(jsonString, fc.constantFrom('"type"', '"more"', '"__proto__"')), value);
const objectsMember = fc.tuple(objectsName, listOf(value));

/** Mostly envelopes with one list; seldom without, with two, or with something else under that name. */
const envelope = fc.oneof(
  { weight: 6, arbitrary: shellOf(fc.tuple(fc.array(otherMember, { maxLength: 3 }), objectsMember)) },
  { weight: 1, arbitrary: objectOf(fc.oneof(otherMember, objectsMember, fc.tuple(objectsName, value))) },
  { weight: 1, arbitrary: padded(value) },
);

function shellOf(members: fc.Arbitrary<[[string, string][], [string, string]]>): fc.Arbitrary<string> {
  return fc.tuple(members, fc.nat(), whitespace, whitespace).map(([[others, objects], place, before, after]) => {
    const all = others.toSpliced(place % (others.length + 1), 0, objects);
    return `${before}{${all.map(([name, text]) => `${before}${name}${after}:${before}${text}${after}`).join(',')}}${after}`;
  });
}

const chunkSizes = fc.oneof(
  fc.constant<number[]>([]),
  fc.constant<number[]>([1]),
  fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
);

const mutation = fc.record({
  kind: fc.constantFrom('insert', 'delete', 'replace', 'copy', 'cut off'),
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  bytes: fc.oneof(
    fc.constantFrom(...'{}[],:"\\ \n\t\r0-1.e+tfn/\u0000\u0001\u001f\u007f').map(text => Buffer.from(text)),
    fc
      .constantFrom('\uFEFF', '\u00a0', '\u2028', '\f', '\v', '"objects":', '"objects":[],', ',,', '\\u')
      .map(Buffer.from),
    fc.uint8Array({ minLength: 1, maxLength: 3 }).map(bytes => Buffer.from(bytes)),
  ),
});

function mutate(
  input: Buffer,
  { kind, place, bytes }: typeof mutation extends fc.Arbitrary<infer T> ? T : never,
): Buffer {
  const at = Math.floor(place * input.length);
  const before = input.subarray(0, at);
  if (kind === 'cut off') return before;
  if (kind === 'copy') return Buffer.concat([before, input.subarray(Math.max(0, at - 12), at), input.subarray(at)]);
  if (kind === 'insert') return Buffer.concat([before, bytes, input.subarray(at)]);
  if (kind === 'delete') return Buffer.concat([before, input.subarray(at + bytes.length)]);
  return Buffer.concat([before, bytes, input.subarray(at + bytes.length)]);
}

describe('ObjectSlicer and JSON.parse', () => {
  it('read the same from valid documents, whatever the chunks', () => {
    fc.assert(
      fc.property(envelope, fc.boolean(), chunkSizes, (text, hasMark, sizes) => {
        expectAgreement(Buffer.from(hasMark ? `\uFEFF${text}` : text), sizes);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuse the same mutations, whatever the chunks', () => {
    fc.assert(
      fc.property(
        envelope,
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        chunkSizes,
        (text, mutations, sizes) => {
          expectAgreement(mutations.reduce(mutate, Buffer.from(text)), sizes);
        },
      ),
      { numRuns: 10_000 },
    );
  }, 60_000);

  it('refuse the same short strings of punctuation', () => {
    const token = fc.constantFrom(
      ...'{}[],: ',
      '"a"',
      '"objects"',
      '1',
      'null',
      '{"objects":[',
      ']}',
      '\uFEFF',
      '"',
      '\\',
    );
    const text = fc.array(token, { maxLength: 12 }).map(tokens => tokens.join(''));
    const framed = fc.oneof(
      text,
      text.map(inner => `{"objects":[${inner}]}`),
      text.map(inner => `{${inner}}`),
    );
    fc.assert(
      fc.property(framed, chunkSizes, (input, sizes) => expectAgreement(Buffer.from(input), sizes)),
      { numRuns: 10_000 },
    );
  }, 60_000);

  it('refuse a document that ends early, wherever it is cut', () => {
    const whole = Buffer.from('\uFEFF {"id":"é\\"", "objects":[{"a":[1.5,"\\\\"]}, -2e1 ,"x"],"more":false}');
    for (let length = 0; length < whole.length; length += 1) {
      expect(refusal(() => cut(whole.subarray(0, length), [1]))).toMatch(
        new RegExp(`^The body is not valid JSON: it ends .*, at byte ${length}$`),
      );
    }
    expect(texts(whole, [1])).toEqual(['{"a":[1.5,"\\\\"]}', '-2e1', '"x"']);
  });

  it('part only where objects is there twice, which is always refused', () => {
    fc.assert(
      fc.property(fc.array(otherMember, { maxLength: 2 }), objectsMember, objectsMember, (others, first, second) => {
        const members = [first, ...others, second].map(([name, text]) => `${name}:${text}`);
        const names = others.map(([name]) => JSON.parse(name) as string);
        fc.pre(!names.includes('objects'));
        const offset = Buffer.byteLength(`{${members.slice(0, -1).join(',')},`);
        expect(refusal(() => cut(`{${members.join(',')}}`))).toBe(
          `The body has the member objects twice, at byte ${offset}`,
        );
      }),
    );
  });
});

describe('ObjectSlicer', () => {
  it('keeps every byte of an element and none around it', () => {
    const objects = ['{"2":1.10,"1":12345678901234567890}', '{ "a" :\n"\\u00e9é" }', '7', '"]"', 'null', '[ ]', '{}'];
    const input = `{"objects":[\n ${objects.join(' \r\n,\t')}\n]}`;
    expect(texts(input)).toEqual(objects);
    expect(texts(input, [1])).toEqual(objects);
  });

  it('tells the depth and the offset of each element', () => {
    const { slices } = cut('{"objects":[1,"[[",{},{"a":[{}],"b":{}}, []]}');
    expect(slices.map(slice => slice.depth)).toEqual([0, 0, 1, 3, 1]);
    expect(slices.map(slice => slice.offset)).toEqual([12, 14, 19, 22, 41]);
  });

  it('tells an empty list from no list', () => {
    expect(cut('{}')).toEqual({ slices: [], hasObjects: false });
    expect(cut('{"object":[1],"x":{"objects":[2]}}')).toEqual({ slices: [], hasObjects: false });
    expect(cut('{"objects":[ ]}')).toEqual({ slices: [], hasObjects: true });
  });

  it('gives views of a single chunk, without a copy', () => {
    const body = Buffer.from('{"objects":[{"a":1},{"b":2}]}');
    for (const slice of cut(body).slices) expect(slice.bytes.buffer).toBe(body.buffer);
  });

  it('gives elements that do not change with later chunks', () => {
    const slicer = new ObjectSlicer({ elementBytesMax: 100 });
    const slices = ['{"objects":[{"a":', '1},{"b"', ':2}', ']}'].flatMap(text => [...slicer.push(Buffer.from(text))]);
    expect(slices.map(slice => slice.bytes.toString())).toEqual(['{"a":1}', '{"b":2}']);
  });

  it('takes an empty chunk anywhere', () => {
    const slicer = new ObjectSlicer({ elementBytesMax: 100 });
    const input = [...Buffer.from('\uFEFF{"objects":["\\"é"]}')];
    const slices = input.flatMap(byte => [...slicer.push(Buffer.of(byte)), ...slicer.push(Buffer.alloc(0))]);
    expect(slices.map(slice => slice.bytes.toString())).toEqual(['"\\"é"']);
    expect(slicer.end()).toEqual({ hasObjects: true });
  });

  it.each([
    ['', "it ends before '{', at byte 0"],
    ['[]', "expected '{', at byte 0"],
    ['{"a":1', 'it ends inside a value, at byte 6'],
    ['{a:1}', "expected a member name or '}', at byte 1"],
    ['{"a":1,}', 'expected a member name, at byte 7'],
    ['{"a" 1}', "expected ':' after a member name, at byte 5"],
    ['{"a":}', 'expected a value, at byte 5'],
    ['{"a":[1}', 'a member is malformed, at byte 5'],
    ['{"a\n":1}', 'a member is malformed, at byte 1'],
    ['{"a":"1" "b":2}', "expected ',' or '}' after a member, at byte 9"],
    ['{"objects":[,]}', "expected an object or ']', at byte 12"],
    ['{"objects":[{},]}', 'expected an object, at byte 15'],
    ['{"objects":[{}{}]}', "expected ',' or ']' after an object, at byte 14"],
    ['{"objects":[]', "it ends before ',' or '}' after a member, at byte 13"],
    ['{} {}', 'expected nothing after the end, at byte 3'],
    ['\uFEFF\uFEFF{}', "expected '{', at byte 3"],
    [Buffer.of(0xef, 0xbb, 0x20), 'incomplete byte order mark, at byte 0'],
  ])('says what is wrong with %j, and where', (input, message) => {
    expect(refusal(() => cut(input))).toBe(`The body is not valid JSON: ${message}`);
    expect(refusal(() => cut(input, [1]))).toBe(`The body is not valid JSON: ${message}`);
  });

  it.each(['{}', '"[]"', 'null', '1'])('refuses %s where the list should be', text => {
    const message = 'The member objects of the body is not a list, at byte 11';
    expect(refusal(() => cut(`{"objects":${text}}`))).toBe(message);
  });

  it.each([[[]], [[1]], [[7]]])('refuses what is longer than allowed, in chunks of %j', sizes => {
    const limits = { elementBytesMax: 10, memberBytesMax: 9 };
    const exact = '{"1234567":"1234567","objects":["12345678",[123,4567]]}';
    const long = (text: string) => refusal(() => cut(text, sizes, limits));
    expect(cut(exact, sizes, limits).slices).toHaveLength(2);
    expect(long('{"12345678":1}')).toBe('A member of the body is longer than 9 bytes, at byte 1');
    expect(long('{"a":[1,2,3,45]}')).toBe('A member of the body is longer than 9 bytes, at byte 5');
    expect(long('{"objects":[1,"123456789"]}')).toBe('An object of the body is longer than 10 bytes, at byte 14');
    expect(long('{"objects":[12345678901]}')).toBe('An object of the body is longer than 10 bytes, at byte 12');
    expect(long(`{"objects":[${'['.repeat(50)}`)).toBe('An object of the body is longer than 10 bytes, at byte 12');
    expect(cut('{"a":"1234567890"}', sizes, { elementBytesMax: 1 }).hasObjects).toBe(false);
  });

  it('lets the caller stop before the end of a chunk', () => {
    const slicer = new ObjectSlicer({ elementBytesMax: 10 });
    const endless = Buffer.from(`{"objects":[${'1,'.repeat(mebibyte)}`);
    let count = 0;
    for (const _ of slicer.push(endless)) {
      count += 1;
      if (count === 3) break;
    }
    expect(count).toBe(3);
  });
});

// Each of these takes well under a second where time is linear, and minutes where it is not.
describe('ObjectSlicer, on hostile input', { timeout: 20_000 }, () => {
  it('goes 100,000 levels deep', () => {
    const deep = '[{"a":'.repeat(50_000) + 1 + '}]'.repeat(50_000);
    expect(cut(`{"objects":[${deep}]}`, [1]).slices).toMatchObject([{ depth: 100_000 }]);
    expect(cut(`{"a":${deep}}`).hasObjects).toBe(false);
  });

  it('reads 200,000 members', () => {
    const members = Array.from({ length: 200_000 }, (_, index) => `"k${index}":${index}`);
    expect(cut(`{${members.join(',')}}`, [4096]).hasObjects).toBe(false);
  });

  it('reads 32 MiB of opening brackets', () => {
    const brackets = Buffer.alloc(32 * mebibyte, '[');
    const input = Buffer.concat([Buffer.from('{"objects":'), brackets]);
    expect(refusal(() => cut(input))).toMatch('it ends inside a value');
    expect(refusal(() => cut(input, [65_536]))).toMatch('it ends inside a value');
  });

  it('reads 32 MiB of backslashes, of quotes, and of whitespace', () => {
    for (const filler of ['\\', '"', ' ']) {
      const input = Buffer.concat([Buffer.from('{"objects":[["'), Buffer.alloc(32 * mebibyte, filler)]);
      expect(refusal(() => cut(input))).toMatch('it ends inside a value');
    }
  });

  it('reads an element of 2 MiB in chunks of one byte', () => {
    const text = `"${'é'.repeat(mebibyte)}"`;
    expect(texts(`{"objects":[${text}]}`, [1])).toEqual([text]);
  });
});
