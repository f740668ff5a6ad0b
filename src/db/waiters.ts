// So that the first of a thousand are answered while the last are still looked at. Each lot may cost a query or two of its
// own.
const wokenAtOnce = 250;

/** Those who wait until something changes, by its id. */
export class Waiters {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Whether anybody waits. */
  get isAny(): boolean {
    return this.#waiting.size > 0;
  }

  /** Ends when the id is woken, after so long, or when the signal aborts. It must not have aborted yet. */
  wait(id: string, { signal, msMax }: { signal: AbortSignal; msMax: number }): Promise<void> {
    return new Promise(resolve => {
      const waiting = this.#waiting.get(id) ?? new Set();
      const end = () => {
        // It may have ended before its lot is woken, and others wait for the id by then.
        if (!waiting.delete(end)) return;
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        if (waiting.size === 0) this.#waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(end, msMax);
      signal.addEventListener('abort', end);
      waiting.add(end);
      this.#waiting.set(id, waiting);
    });
  }

  /** Ends the waits for an id, a lot at a time. */
  wake(id: string): void {
    endLots([...(this.#waiting.get(id) ?? [])]);
  }

  /** Ends all waits. */
  wakeAll(): void {
    for (const id of this.#waiting.keys()) this.wake(id);
  }
}

function endLots(waits: (() => void)[]): void {
  for (const end of waits.splice(0, wokenAtOnce)) end();
  if (waits.length > 0) setImmediate(endLots, waits);
}
