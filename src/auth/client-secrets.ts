import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { HubError } from '../errors.ts';

interface Parameters {
  cost: number;
  blockSize: number;
  parallelization: number;
}

// 16 MiB and some 50 ms each (RFC 7914 §2). Secrets are random, so that more would protect nothing.
const parameters: Parameters = { cost: 2 ** 14, blockSize: 8, parallelization: 1 };
const hashBytes = 32;
const waitingMax = 32;

/** A new secret: 256 random bits, printable. */
export function makeSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Hashes a secret with scrypt. @returns `scrypt:<cost>:<block size>:<parallelization>:<salt>:<hash>` */
export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(secret, salt, parameters);
  const { cost, blockSize, parallelization } = parameters;
  return ['scrypt', cost, blockSize, parallelization, salt.toString('base64'), hash.toString('base64')].join(':');
}

/**
 * @returns what compares a secret with what hashSecret made of the right one; `undefined`, of a client that has none,
 * matches nothing and takes as long. One is computed at a time, so that guessing does not keep the threads busy that
 * verify tokens; it throws HubError overloaded where too many wait
 */
export function createSecretComparison(): (secret: string, hashed: string | undefined) => Promise<boolean> {
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return async (secret, hashed) => {
    if (waiting >= waitingMax) {
      throw new HubError('overloaded', 'Too many clients are asking for tokens at once. Try again shortly.');
    }
    waiting += 1;
    const comparison = last.then(() => compare(secret, hashed)).finally(() => (waiting -= 1));
    last = comparison.catch(() => undefined);
    return comparison;
  };
}

async function compare(secret: string, hashed: string | undefined): Promise<boolean> {
  if (hashed === undefined) {
    await derive(secret, Buffer.alloc(16), parameters);
    return false;
  }
  const [, cost, blockSize, parallelization, salt = '', hash = ''] = hashed.split(':');
  const stored = { cost: Number(cost), blockSize: Number(blockSize), parallelization: Number(parallelization) };
  return timingSafeEqual(await derive(secret, Buffer.from(salt, 'base64'), stored), Buffer.from(hash, 'base64'));
}

function derive(secret: string, salt: Buffer, { cost, blockSize, parallelization }: Parameters): Promise<Buffer> {
  const options = { cost, blockSize, parallelization, maxmem: 256 * cost * blockSize };
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, hashBytes, options, (error, hash) => (error ? reject(error) : resolve(hash)));
  });
}
