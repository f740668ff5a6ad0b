/**
 * Makes what does so many pieces of work at once; others wait, and those that came first begin first.
 * @returns what does a piece of work when it is its turn
 */
export function atOnce(max: number): <Result>(work: () => Promise<Result> | Result) => Promise<Result> {
  let underWay = 0;
  const waiting: (() => void)[] = [];
  return async work => {
    if (underWay < max) underWay += 1;
    else await new Promise<void>(resolve => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else underWay -= 1;
    }
  };
}
