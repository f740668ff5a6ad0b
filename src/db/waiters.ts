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
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        waiting.delete(end);
        if (waiting.size === 0) this.#waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(end, msMax);
      signal.addEventListener('abort', end);
      waiting.add(end);
      this.#waiting.set(id, waiting);
    });
  }

  /** Ends the waits for an id. */
  wake(id: string): void {
    for (const end of this.#waiting.get(id) ?? []) end();
  }

  /** Ends all waits. */
  wakeAll(): void {
    for (const id of this.#waiting.keys()) this.wake(id);
  }
}
