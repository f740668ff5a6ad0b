// A request that comes meanwhile waits no longer than this, and one step of the work.
// A transaction that holds a lock waits as long for each of its answers from PostgreSQL.
const turnMsMax = 0.5;
// So many turns in a row: an envelope of thousands is finished rather than several of them at the same late time.
const turnsInRow = 50;

const waiting: (() => void)[] = [];

/**
 * The turns of one long piece of work, between which others are let in: `if (turn.isOver()) await turn.next()` after each
 * step. Of all such work in this process one has its turn in each round of the event loop. What is first keeps the others
 * from theirs, so that it must end soon: what one transaction takes does.
 */
export class Turn {
  #since = performance.now();
  #count = 0;
  readonly #isFirst: boolean;

  /** @param isFirst whether others wait for this work, since it holds a lock: then it goes before the work that does not */
  constructor({ isFirst }: { isFirst: boolean }) {
    this.#isFirst = isFirst;
  }

  isOver(): boolean {
    return performance.now() - this.#since > turnMsMax;
  }

  async next(): Promise<void> {
    await new Promise<void>(resolve => {
      if (waiting.length === 0) setImmediate(takeTurns);
      if (this.#count % turnsInRow === 0 && !this.#isFirst) waiting.push(resolve);
      else waiting.unshift(resolve);
    });
    this.#count += 1;
    this.#since = performance.now();
  }
}

function takeTurns(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(takeTurns);
}

// Statements are sent in pieces, since making one blocks this process and executing it one of PostgreSQL.
const pieceMax = { items: 500, bytes: 512 * 1024 };

/** Cuts a list into pieces that can be worked on in one turn. @returns at least one; no item is cut */
export function* piecesOf<Item>(items: Item[], bytesOf: (item: Item) => number): Generator<Item[]> {
  let start = 0;
  let bytes = 0;
  for (const [index, item] of items.entries()) {
    bytes += bytesOf(item);
    if (index === start || (index - start < pieceMax.items && bytes <= pieceMax.bytes)) continue;
    yield items.slice(start, index);
    start = index;
    bytes = bytesOf(item);
  }
  yield items.slice(start);
}
