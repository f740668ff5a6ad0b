import type { Outcome } from './judging.ts';
import type { TaxiiTimestamp } from './timestamp.ts';
import { Turn } from './turns.ts';

/** A status resource (TAXII 2.1 §4.3.1), complete from the start: the hub answers when the objects are committed. */
export interface Status {
  id: string;
  /** the JSON text of the resource */
  resource: string;
  successCount: number;
  /** the first of those that were refused */
  failures: StatusDetail[];
}

/** One object of the envelope. */
export interface StatusDetail {
  id: string;
  version: string;
  message?: string;
}

// Of an envelope that was refused whole.
const failuresShownMax = 1000;

/** Writes the status resource of an envelope. Empty lists are left out (TAXII 2.1 §2). */
export async function toStatus(id: string, requestTimestamp: TaxiiTimestamp, outcomes: Outcome[]): Promise<Status> {
  const successes: string[] = [];
  const failures: string[] = [];
  const shown: StatusDetail[] = [];
  // The collection's lock is held meanwhile.
  const turn = new Turn({ isFirst: true });
  for (const outcome of outcomes) {
    if (turn.isOver()) await turn.next();
    const detail = toDetail(outcome);
    const isFailure = outcome.result === 'refused';
    (isFailure ? failures : successes).push(JSON.stringify(detail));
    if (isFailure && shown.length < failuresShownMax) shown.push(detail);
  }
  const head = { id, status: 'complete', request_timestamp: requestTimestamp, total_count: outcomes.length };
  const members = [
    JSON.stringify(head).slice(1, -1),
    `"success_count":${successes.length}`,
    ...(successes.length > 0 ? [`"successes":[${successes.join(',')}]`] : []),
    `"failure_count":${failures.length}`,
    ...(failures.length > 0 ? [`"failures":[${failures.join(',')}]`] : []),
    '"pending_count":0',
  ];
  return { id, resource: `{${members.join(',')}}`, successCount: successes.length, failures: shown };
}

function toDetail({ id, version, message }: Outcome): StatusDetail {
  return { id, version, ...(message !== undefined && { message }) };
}
