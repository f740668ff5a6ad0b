import type { FastifyBaseLogger } from 'fastify';

type Bindings = Parameters<FastifyBaseLogger['child']>[0];

/**
 * The logger of a request: a child of the hub's with the id of the request, made when there is something to say. Making one
 * takes as long as a fifth of a bare route, and most requests have nothing to say but the line of observe.ts.
 */
export class RequestLog implements FastifyBaseLogger {
  readonly #parent: FastifyBaseLogger;
  readonly #bindings: Bindings;
  #made: FastifyBaseLogger | undefined;

  /** @param bindings what stands in each of its lines */
  constructor(parent: FastifyBaseLogger, bindings: Bindings) {
    this.#parent = parent;
    this.#bindings = bindings;
  }

  get level(): string {
    return this.#parent.level;
  }

  child(...options: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger {
    return this.#own.child(...options);
  }

  fatal(...line: unknown[]): void {
    this.#own.fatal(...(line as [object]));
  }

  error(...line: unknown[]): void {
    this.#own.error(...(line as [object]));
  }

  warn(...line: unknown[]): void {
    this.#own.warn(...(line as [object]));
  }

  info(...line: unknown[]): void {
    this.#own.info(...(line as [object]));
  }

  debug(...line: unknown[]): void {
    this.#own.debug(...(line as [object]));
  }

  trace(...line: unknown[]): void {
    this.#own.trace(...(line as [object]));
  }

  silent(...line: unknown[]): void {
    this.#own.silent(...(line as [object]));
  }

  get #own(): FastifyBaseLogger {
    this.#made ??= this.#parent.child(this.#bindings);
    return this.#made;
  }
}
