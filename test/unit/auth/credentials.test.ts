import { describe, expect, it } from 'vitest';
import { readCredential } from '../../../src/auth/credentials.ts';

const basic = (text: string) => Buffer.from(text).toString('base64');

describe('readCredential', () => {
  it.each(['Bearer abc', 'bearer abc', 'BEARER  abc', 'Token abc', 'token abc'])('reads %s', header => {
    expect(readCredential(header)).toEqual({ token: 'abc', user: undefined });
  });

  it.each([
    [`Basic ${basic('example-bank:abc')}`, 'example-bank'],
    [`basic ${basic(':abc')}`, ''],
    [`BASIC ${basic('bank:abc')}`, 'bank'],
  ])('reads %s', (header, user) => {
    expect(readCredential(header)).toEqual({ token: 'abc', user });
  });

  it('keeps colons of the password', () => {
    expect(readCredential(`Basic ${basic('bank:a:b:c')}`).token).toBe('a:b:c');
  });

  it('says what to send where nothing came', () => {
    expect(() => readCredential(undefined)).toThrow(
      expect.objectContaining({ code: 'credential-missing', status: 401 }),
    );
  });

  it.each(['abc', 'Bearer', 'Bearer a b', 'Digest abc', `Basic ${basic('abc')}`, 'Basic %%%'])('refuses %s', header => {
    expect(() => readCredential(header)).toThrow(expect.objectContaining({ code: 'credential-invalid', status: 401 }));
  });
});
