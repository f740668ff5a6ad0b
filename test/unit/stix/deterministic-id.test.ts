import { describe, it } from 'vitest';
import { expectNothing, expectOnly, type Sample, uuid } from '../../support/judging.ts';

describe('ids that are made from what an observable holds (STIX 2.1 §2.9)', () => {
  const cases: [type: string, otherwise: Sample, contributing: Sample][] = [
    [
      'email-message',
      { is_multipart: false, content_type: 'text/plain' },
      { from_ref: `email-addr--${uuid}`, subject: '', body: '' },
    ],
    ['user-account', { credential: 'hush' }, { account_type: 'unix', user_id: '1', account_login: 'keel' }],
    ['windows-registry-key', { number_of_subkeys: 3 }, { key: 'HKEY_USERS\\a', values: [{ name: 'a' }] }],
    ['x509-certificate', { issuer: 'a' }, { hashes: { MD5: 'a'.repeat(32) }, serial_number: '1' }],
  ];
  const made = uuid.replace('-4', '-5');

  it.each(cases)('%s', (type, otherwise, contributing) => {
    const object = { type, id: `${type}--${made}`, ...otherwise };
    expectOnly(object, 'deterministic-id', '/id');
    expectNothing({ ...object, id: `${type}--${uuid}` });
    for (const [name, value] of Object.entries(contributing)) expectNothing({ ...object, [name]: value });
  });

  it('a process has no such property, and other types cannot be without', () => {
    expectOnly({ type: 'process', id: `process--${made}`, pid: 1, command_line: 'a' }, 'deterministic-id', '/id');
    expectNothing({ type: 'mutex', id: `mutex--${made}`, name: 'a' });
    expectNothing({ type: 'x-harbour-buoy', id: `x-harbour-buoy--${made}` });
  });
});
