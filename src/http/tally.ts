/** Counts something by partner, such as requests or bytes; holds only those of which there is something. */
export class Tally {
  readonly #counts = new Map<string, number>();

  of(partnerId: string): number {
    return this.#counts.get(partnerId) ?? 0;
  }

  add(partnerId: string, change: number): void {
    const count = this.of(partnerId) + change;
    if (count > 0) this.#counts.set(partnerId, count);
    else this.#counts.delete(partnerId);
  }
}
