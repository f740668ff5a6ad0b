import type { Outcome } from './judging.ts';
import type { TaxiiTimestamp } from './timestamp.ts';

/** A status resource (TAXII 2.1 §4.3.1), complete from the start: the hub answers when the objects are committed. */
export interface Status {
  id: string;
  status: 'complete';
  request_timestamp: TaxiiTimestamp;
  total_count: number;
  success_count: number;
  successes?: StatusDetail[];
  failure_count: number;
  failures?: StatusDetail[];
  pending_count: 0;
}

/** One object of the envelope. */
export interface StatusDetail {
  id: string;
  version: string;
  message?: string;
}

/** Builds the status resource of an envelope. Empty lists are left out (TAXII 2.1 §2). */
export function toStatus(id: string, requestTimestamp: TaxiiTimestamp, outcomes: Outcome[]): Status {
  const successes = outcomes.filter(outcome => outcome.result !== 'refused').map(toDetail);
  const failures = outcomes.filter(outcome => outcome.result === 'refused').map(toDetail);
  return {
    id,
    status: 'complete',
    request_timestamp: requestTimestamp,
    total_count: outcomes.length,
    success_count: successes.length,
    ...(successes.length > 0 && { successes }),
    failure_count: failures.length,
    ...(failures.length > 0 && { failures }),
    pending_count: 0,
  };
}

function toDetail({ id, version, message }: Outcome): StatusDetail {
  return { id, version, ...(message !== undefined && { message }) };
}
