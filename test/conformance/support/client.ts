import type { OutgoingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { checkAnswer } from './check-answer.ts';
import { type Answer, exchange } from './http.ts';
import type { StixObject } from './stix.ts';
import { target } from './target.ts';

export const taxii = 'application/taxii+json;version=2.1';

/** Paths of the collections under test, from the API root on. */
export const shared = `collections/${target.readWrite}/`;
export const readOnly = `collections/${target.readOnly}/`;
export const writeOnly = `collections/${target.writeOnly}/`;
export const hidden = `collections/${target.hidden}/`;

export type Persona = 'client' | 'other' | 'nobody';

export interface Options {
  as?: Persona;
  method?: string;
  /** beside Accept and Authorization; undefined leaves one of them out */
  headers?: Record<string, string | undefined>;
  body?: string | Buffer | object | undefined;
}

/** Sends a request to a path of the server and checks the answer's media type and shape. */
export async function request(path: string, options: Options = {}): Promise<Answer> {
  const { as = 'client', method = 'GET', headers, body } = options;
  const authorization = as === 'nobody' ? undefined : target[as];
  if (as === 'other' && authorization === undefined) throw new Error('TAXII_OTHER_AUTHORIZATION is needed here');
  const all = { accept: taxii, authorization, ...headers };
  const answer = await exchange({
    method,
    path,
    headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as OutgoingHttpHeaders,
    ...(body !== undefined && {
      body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    }),
  });
  checkAnswer(answer);
  return answer;
}

/** GET of a path below the API root. */
export function get(path: string, options: Options = {}): Promise<Answer> {
  return request(`${target.apiRoot}${path}`, options);
}

/** POST of an envelope, or of any body, to a collection. */
export function post(collection: string, body: Options['body'], options: Options = {}): Promise<Answer> {
  return request(`${target.apiRoot}${collection}objects/`, {
    ...options,
    method: 'POST',
    headers: { 'content-type': taxii, ...options.headers },
    body,
  });
}

export function remove(path: string, options: Options = {}): Promise<Answer> {
  return request(`${target.apiRoot}${path}`, { ...options, method: 'DELETE' });
}

/** Adds objects, which must all be taken, and waits until the server says that it is done. */
export async function push(objects: StixObject[], collection = shared, options: Options = {}): Promise<Answer> {
  const answer = await post(collection, { objects }, options);
  expect(answer.status, answer.text).toBe(202);
  const status = await waitUntilComplete(answer.body, options);
  expect(status, JSON.stringify(status)).toMatchObject({ total_count: objects.length, success_count: objects.length });
  return answer;
}

/** Follows a status as §5.5 tells clients to. */
export async function waitUntilComplete(status: Answer['body'], options: Options = {}): Promise<Answer['body']> {
  let latest = status;
  for (let tries = 0; latest.status === 'pending' && tries < 60; tries += 1) {
    await sleep(500);
    latest = (await get(`status/${status.id}/`, options)).body;
  }
  expect(latest.status).toBe('complete');
  return latest;
}

/** Writes a query; the brackets of match are escaped, as most clients do. */
export function query(parameters: Record<string, string | number | undefined>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(Object.fromEntries(given.map(([name, value]) => [name, String(value)])))}`;
}

export function idsOf(list: { id: string }[] | undefined): string[] {
  return (list ?? []).map(one => one.id);
}

/** The query that selects just these objects, in all their versions. */
export function matchOf(objects: StixObject[]): { 'match[id]': string; 'match[version]': string } {
  return { 'match[id]': [...new Set(idsOf(objects))].join(','), 'match[version]': 'all' };
}

/** Manifest records of these objects, by what the server says of them. */
export async function recordsOf(objects: StixObject[]): Promise<{ id: string; date_added: string; version: string }[]> {
  const { body } = await get(`${shared}manifest/${query(matchOf(objects))}`);
  expect(idsOf(body.objects).length).toBe(objects.length);
  return body.objects;
}

/** A timestamp some microseconds later (or earlier), in the form of TAXII. */
export function shift(timestamp: string, microseconds: number): string {
  const micros =
    BigInt(Date.parse(`${timestamp.slice(0, 19)}Z`)) * 1000n + BigInt(timestamp.slice(20, 26)) + BigInt(microseconds);
  const seconds = new Date(Number(micros / 1000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(micros % 1_000_000n).padStart(6, '0')}Z`;
}
