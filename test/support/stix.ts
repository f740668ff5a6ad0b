import { randomUUID } from 'node:crypto';

export interface Indicator {
  type: 'indicator';
  id: string;
  modified: string;
  [property: string]: unknown;
}

/** A valid indicator, about as large as real ones. */
export function indicator(properties: Record<string, unknown> = {}): Indicator {
  return {
    type: 'indicator',
    spec_version: '2.1',
    id: `indicator--${randomUUID()}`,
    created: '2026-03-01T10:00:00.000Z',
    modified: '2026-03-01T10:00:00.000Z',
    name: 'Address of a phishing kit',
    pattern: "[domain-name:value = 'login.bank.example']",
    pattern_type: 'stix',
    valid_from: '2026-03-01T10:00:00Z',
    ...properties,
  };
}

export function indicators(count: number): Indicator[] {
  return Array.from({ length: count }, () => indicator());
}

/** A later version of an object. */
export function revise<Value extends object>(object: Value, modified: string, changes: object = {}): Value {
  return { ...object, ...changes, modified };
}
