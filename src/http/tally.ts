/** Counts something by partner, such as requests or bytes. One that was counted keeps its place, since most come again. */
export class Tally {
  readonly #counts = new Map<string, number>();

  of(partnerId: string): number {
    return this.#counts.get(partnerId) ?? 0;
  }

  add(partnerId: string, change: number): void {
    this.#counts.set(partnerId, this.of(partnerId) + change);
  }
}
