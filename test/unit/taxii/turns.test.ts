import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { piecesOf, Turn } from '../../../src/taxii/turns.ts';

describe('pieces', () => {
  it('are all of the list in order, each within the bounds or one item', () => {
    const bytes = fc.oneof(fc.nat({ max: 2000 }), fc.nat({ max: 700_000 }));
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 3000, size: 'max' }), items => {
        const pieces = [...piecesOf(items, one => one)];
        expect(pieces.flat()).toEqual(items);
        for (const piece of pieces) {
          const sum = piece.reduce((total, one) => total + one, 0);
          expect(piece.length === 1 || (piece.length <= 500 && sum <= 512 * 1024)).toBe(true);
        }
        // As few as go by that: none would have taken the first of the next.
        for (const [index, next] of pieces.slice(1).entries()) {
          const piece = pieces[index] as number[];
          const sum = piece.reduce((total, one) => total + one, 0) + (next[0] as number);
          expect(piece.length === 500 || sum > 512 * 1024).toBe(true);
        }
      }),
    );
  });

  it('of nothing are one of nothing', () => {
    expect([...piecesOf([], () => 0)]).toEqual([[]]);
  });
});

describe('turns', () => {
  const work = async (turns: number, onTurn: (n: number) => void, isFirst = false) => {
    const turn = new Turn({ isFirst });
    for (let n = 0; n < turns; n += 1) {
      await turn.next();
      onTurn(n);
    }
  };

  it('let others in between, one of all work in a round of the event loop', async () => {
    let rounds = 0;
    let isDone = false;
    const roundOf: number[] = [];
    const works = Promise.all([1, 2, 3].map(() => work(20, () => roundOf.push(rounds)))).then(() => {
      isDone = true;
    });
    while (!isDone) {
      await setImmediate();
      rounds += 1;
    }
    await works;
    expect(roundOf).toHaveLength(60);
    expect(new Set(roundOf).size).toBe(60);
  });

  it('are taken in a row, by one work after the other, so that what came first ends first', async () => {
    const taken: string[] = [];
    await Promise.all(['a', 'b'].map(name => work(30, () => taken.push(name))));
    expect(taken.join('')).toBe('a'.repeat(30) + 'b'.repeat(30));
  });

  it('go round, so that no work waits for the end of a long one', async () => {
    const taken: string[] = [];
    await Promise.all([work(170, () => taken.push('a')), work(30, () => taken.push('b'))]);
    expect(taken.indexOf('b')).toBe(50);
    expect(taken.lastIndexOf('a')).toBe(199);
  });

  it('come first for work on which others wait, however many wait for theirs', async () => {
    const taken: string[] = [];
    const others = ['a', 'b', 'c'].map(name => work(60, () => taken.push(name)));
    await setImmediate();
    taken.length = 0;
    await work(60, () => taken.push('!'), true);
    expect(taken.filter(name => name !== '!').length).toBeLessThanOrEqual(1);
    await Promise.all(others);
  });
});
