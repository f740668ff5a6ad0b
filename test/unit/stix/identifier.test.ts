import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isIdentifier, typeOfIdentifier } from '../../../src/stix/identifier.ts';
import { isTimestamp } from '../../../src/stix/timestamp.ts';

const uuid = '8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f';
const { $defs } = JSON.parse(readFileSync(new URL('../../../schemas/stix/2.1/common.json', import.meta.url), 'utf8'));

describe('isIdentifier (STIX 2.1 §2.9)', () => {
  it.each([
    `indicator--${uuid}`,
    `x-mitre-data-component--${uuid}`,
    `url--${uuid}`,
    `x509-certificate--${uuid}`,
    `relationship--81f12913-1372-4c96-85ec-E9034ac98aba`,
    ...[1, 2, 3, 4, 5, 6, 7, 8].map(version => `indicator--8e2e2d2b-17d4-${version}cbf-938f-98ee46b3cd3f`),
    ...[8, 9, 'a', 'b', 'A', 'B'].map(variant => `indicator--8e2e2d2b-17d4-4cbf-${variant}38f-98ee46b3cd3f`),
    `${'a'.repeat(250)}--${uuid}`,
    `x-ends-with-hyphen---${uuid}`,
  ])('takes %s', id => {
    expect(isIdentifier(id)).toBe(true);
  });

  it.each([
    '',
    'indicator',
    'indicator--',
    uuid,
    `--${uuid}`,
    `indicator-${uuid}`,
    `Indicator--${uuid}`,
    `1ndicator--${uuid}`,
    `-indicator--${uuid}`,
    `indi_cator--${uuid}`,
    `indi--cator--${uuid}`,
    `ab--${uuid}`,
    `${'a'.repeat(251)}--${uuid}`,
    `indicator--${uuid} `,
    `indicator--${uuid}\n`,
    `indicator--${uuid}0`,
    'indicator--8e2e2d2b17d44cbf938f98ee46b3cd3f',
    'indicator--{8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f}',
    'indicator--8e2e2d2b-17d4-0cbf-938f-98ee46b3cd3f',
    'indicator--8e2e2d2b-17d4-9cbf-938f-98ee46b3cd3f',
    'indicator--8e2e2d2b-17d4-4cbf-738f-98ee46b3cd3f',
    'indicator--8e2e2d2b-17d4-4cbf-c38f-98ee46b3cd3f',
    'indicator--00000000-0000-0000-0000-000000000000',
    'indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3g',
  ])('refuses %j', id => {
    expect(isIdentifier(id)).toBe(false);
  });
});

describe('typeOfIdentifier', () => {
  it.each(['indicator', 'x-mitre-data-component', 'x-ends-with-hyphen-'])('reads %s back', type => {
    expect(typeOfIdentifier(`${type}--${uuid}`)).toBe(type);
  });
});

describe('the schemas say the same as the code', () => {
  it('of identifiers', () => {
    const pattern = new RegExp($defs.identifier.pattern, 'u');
    const almost = fc
      .tuple(fc.stringMatching(/^[a-z0-9-]{0,8}$/), fc.uuid(), fc.constantFrom('--', '-', '---'), fc.nat(50))
      .map(([type, id, separator, at]) => {
        const text = type + separator + id;
        return at < text.length ? text.slice(0, at) + text.charAt(at).toUpperCase() + text.slice(at + 1) : text;
      });
    fc.assert(
      fc.property(almost, text => pattern.test(text) === isIdentifier(text)),
      { numRuns: 5000 },
    );
  });

  it('of timestamps, but for dates that do not exist and leap seconds, which their format refuses', () => {
    const pattern = new RegExp($defs.timestamp.pattern, 'u');
    const almost = fc.stringMatching(/^20[0-2]\d-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\d(\.\d{0,4})?Z?$/);
    fc.assert(
      fc.property(almost, text => !isTimestamp(text) || pattern.test(text)),
      { numRuns: 5000 },
    );
    expect($defs.timestamp.format).toBe('date-time');
  });
});
