import { randomUUID } from 'node:crypto';

export interface StixObject {
  type: string;
  id: string;
  [property: string]: unknown;
}

/** An indicator that any validator of STIX 2.1 takes, with an id that nobody has used. */
export function indicator(properties: Record<string, unknown> = {}): StixObject {
  return {
    type: 'indicator',
    spec_version: '2.1',
    id: `indicator--${randomUUID()}`,
    created: '2020-03-01T10:00:00.000Z',
    modified: '2020-03-01T10:00:00.000Z',
    name: 'Domain of a phishing kit',
    indicator_types: ['malicious-activity'],
    pattern: "[domain-name:value = 'login.bank.example']",
    pattern_type: 'stix',
    valid_from: '2020-03-01T10:00:00Z',
    ...properties,
  };
}

export function indicators(count: number): StixObject[] {
  return Array.from({ length: count }, (_, index) => indicator({ name: `Indicator ${index}` }));
}

export function malware(properties: Record<string, unknown> = {}): StixObject {
  return {
    type: 'malware',
    spec_version: '2.1',
    id: `malware--${randomUUID()}`,
    created: '2020-03-01T10:00:00.000Z',
    modified: '2020-03-01T10:00:00.000Z',
    name: 'Example',
    is_family: true,
    ...properties,
  };
}

/** Has `created` and no `modified`. */
export function statementMarking(): StixObject {
  return {
    type: 'marking-definition',
    spec_version: '2.1',
    id: `marking-definition--${randomUUID()}`,
    created: '2020-03-01T10:00:00.123Z',
    definition_type: 'statement',
    definition: { statement: 'For the conformance tests' },
  };
}

/** Has neither `created` nor `modified`. */
export function domainName(): StixObject {
  return {
    type: 'domain-name',
    spec_version: '2.1',
    id: `domain-name--${randomUUID()}`,
    value: `${randomUUID()}.example`,
  };
}

/** A later or earlier version of an object. */
export function revise(object: StixObject, modified: string, changes: Record<string, unknown> = {}): StixObject {
  return { ...object, ...changes, modified };
}
