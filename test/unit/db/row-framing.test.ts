import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowFraming, type RowSink } from '../../../src/db/row-framing.ts';

// The format of PostgreSQL's messages, written here once more: a kind, a length that counts itself, a body.
function message(kind: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(4 + body.length);
  return Buffer.concat([Buffer.from(kind), length, body]);
}

function row(columns: (Buffer | null)[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(columns.length);
  const parts = columns.map(column => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(column === null ? -1 : column.length);
    return Buffer.concat([length, column ?? Buffer.alloc(0)]);
  });
  return message('D', Buffer.concat([count, ...parts]));
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map(array => Buffer.from(array));
const column = fc.option(fc.uint8Array({ minLength: 8, maxLength: 8 }).map(array => Buffer.from(array)));

interface Drawn {
  sent: Buffer;
  /** undefined: no row */
  row?: { columns: (Buffer | null)[]; text: Buffer; isWanted: boolean };
}

const drawnRow: fc.Arbitrary<Drawn> = fc
  .record({ columns: fc.tuple(column, column), text: bytes(60), isWanted: fc.boolean() })
  .map(drawn => ({ sent: row([...drawn.columns, drawn.text]), row: drawn }));
const drawnOther: fc.Arbitrary<Drawn> = fc
  .tuple(fc.constantFrom('T', 'C', 'Z', 'N', 'E', 'd'), bytes(40))
  .map(([kind, body]) => ({ sent: message(kind, body) }));
const messages = fc.array(fc.oneof({ arbitrary: drawnRow, weight: 3 }, { arbitrary: drawnOther, weight: 1 }), {
  maxLength: 25,
});
const cuts = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 10 });

/** Copies, since the framing may move bytes about. */
function* cut(sent: Buffer, sizes: number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < sent.length; turn += 1) {
    const size = sizes[turn % sizes.length] as number;
    yield Buffer.from(sent.subarray(at, at + size));
    at += size;
  }
}

/** What comes out, in the order in which it does, with neighbours of one kind joined. */
class Outcome {
  readonly parts: { kind: 'text' | 'other'; bytes: Buffer }[] = [];

  add(kind: 'text' | 'other', added: Buffer): void {
    const last = this.parts.at(-1);
    if (last?.kind === kind) last.bytes = Buffer.concat([last.bytes, added]);
    else if (added.length > 0) this.parts.push({ kind, bytes: Buffer.from(added) });
  }
}

describe('any messages, however the network cuts them', () => {
  it('go on as they came where no rows are collected', () => {
    fc.assert(
      fc.property(messages, cuts, (drawn, sizes) => {
        const outcome = new Outcome();
        const framing = new RowFraming(passed => outcome.add('other', passed));
        const sent = Buffer.concat(drawn.map(one => one.sent));
        for (const chunk of cut(sent, sizes)) framing.take(chunk);
        expect(Buffer.concat(outcome.parts.map(part => part.bytes))).toEqual(sent);
      }),
    );
  });

  it('give the texts of the rows that are wanted, and all the rest as it came', () => {
    fc.assert(
      fc.property(messages, messages, cuts, fc.constantFrom('', ',', ',\n'), (before, drawn, sizes, separator) => {
        const outcome = new Outcome();
        const accepted: unknown[] = [];
        const rows = drawn.flatMap(one => one.row ?? []);
        const sink: RowSink = {
          columnsBefore: 2,
          separator: Buffer.from(separator),
          accept(given, at, textBytes) {
            const asked = rows[accepted.length];
            const head = given.subarray(
              at,
              at + 8 + Buffer.concat((asked?.columns ?? []).filter(one => one !== null)).length,
            );
            accepted.push([Buffer.from(head), textBytes]);
            return asked?.isWanted ?? false;
          },
          push: piece => outcome.add('text', piece),
        };
        const framing = new RowFraming(passed => outcome.add('other', passed));
        for (const chunk of cut(Buffer.concat(before.map(one => one.sent)), sizes)) framing.take(chunk);
        framing.collect(sink);
        for (const chunk of cut(Buffer.concat(drawn.map(one => one.sent)), sizes)) framing.take(chunk);
        framing.collect(undefined);
        for (const chunk of cut(Buffer.concat(before.map(one => one.sent)), sizes)) framing.take(chunk);

        const expected = new Outcome();
        for (const { sent } of before) expected.add('other', sent);
        let isFirst = true;
        for (const one of drawn) {
          if (!one.row) expected.add('other', one.sent);
          else if (one.row.isWanted) {
            expected.add('text', Buffer.concat([Buffer.from(isFirst ? '' : separator), one.row.text]));
            isFirst = false;
          }
        }
        for (const { sent } of before) expected.add('other', sent);
        expect(outcome.parts).toEqual(expected.parts);
        const expectedHeads = rows.map(one => {
          const whole = row(one.columns);
          return [whole.subarray(7), one.text.length];
        });
        expect(accepted).toEqual(expectedHeads);
      }),
      { numRuns: 500 },
    );
  });
});
