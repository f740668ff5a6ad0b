import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isIdentifier, typeOfIdentifier, uuidVersionOf } from '../../../src/stix/identifier.ts';
import { isTimestamp } from '../../../src/stix/timestamp.ts';

const uuid = '8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f';
const anyUuid = fc.oneof(
  fc.uuid(),
  fc.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
);

/** Whether the UUID at the end is of a version and a variant that the RFCs define. */
function hasDefinedUuid(id: string): boolean {
  return /-[1-8].{3}-[89abAB].{16}$/.test(id);
}

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
    'indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3g',
  ])('refuses %j', id => {
    expect(isIdentifier(id)).toBe(false);
  });

  it.each([undefined, null, 17, [`indicator--${uuid}`], { toString: () => `indicator--${uuid}` }])(
    'refuses %o, which is no text',
    value => {
      expect(isIdentifier(value)).toBe(false);
    },
  );
});

describe('uuidVersionOf', () => {
  it.each(['1', '4', '5', '8', '0', 'f'])('reads %s', version => {
    expect(uuidVersionOf(`x-ends-with-hyphen---8e2e2d2b-17d4-${version}cbf-938f-98ee46b3cd3f`)).toBe(version);
  });
});

describe('typeOfIdentifier', () => {
  it.each(['indicator', 'x-mitre-data-component', 'x-ends-with-hyphen-'])('reads %s back', type => {
    expect(typeOfIdentifier(`${type}--${uuid}`)).toBe(type);
  });
});

describe('the schemas say the same as the code', () => {
  const pattern = new RegExp($defs.identifier.pattern, 'u');

  it.each([
    ...['0cbf-938f', '9cbf-938f', '4cbf-738f', '4cbf-c38f'].map(
      part => `indicator--8e2e2d2b-17d4-${part}-98ee46b3cd3f`,
    ),
    'indicator--00000000-0000-0000-0000-000000000000',
  ])('but for the version of the UUID, which they refuse: %s', id => {
    expect([isIdentifier(id), pattern.test(id)]).toEqual([true, false]);
  });

  it('of identifiers', () => {
    const almost = fc
      .tuple(fc.stringMatching(/^[a-z0-9-]{0,8}$/), anyUuid, fc.constantFrom('--', '-', '---'), fc.nat(50))
      .map(([type, id, separator, at]) => {
        const text = type + separator + id;
        return at < text.length ? text.slice(0, at) + text.charAt(at).toUpperCase() + text.slice(at + 1) : text;
      });
    fc.assert(
      fc.property(almost, text => pattern.test(text) === (isIdentifier(text) && hasDefinedUuid(text))),
      { numRuns: 5000 },
    );
  });

  it("of references in properties of one's own", () => {
    const { _ref$, _refs$ } = $defs['named-properties'].patternProperties;
    expect([_ref$.pattern, _refs$.items.pattern]).toEqual([pattern.source, pattern.source]);
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
