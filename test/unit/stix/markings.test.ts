import { describe, it } from 'vitest';
import {
  canonical,
  expectNothing,
  expectOnly,
  marking,
  type Sample,
  tlp2Extension,
  tlp2Samples,
  uuid,
  versioned,
  withValue,
} from '../../support/judging.ts';
import { tlpSamples } from '../../support/samples/meta-objects.ts';

describe('TLP (STIX 2.1 §7.2.1)', () => {
  const [white, green] = tlpSamples as [Sample, Sample];
  const [clear, green2, , , red2] = tlp2Samples as [Sample, Sample, Sample, Sample, Sample];
  const levelOf = ({ definition, extensions }: Sample) =>
    ((definition as Sample | undefined)?.tlp ??
      (extensions as Sample & { [id: string]: Sample })[tlp2Extension]?.tlp_2_0) as string;

  it.each(canonical)('$name, however its date is written, and without a name', sample => {
    expectNothing({ ...sample, created: `${sample.created}`.replace('.000Z', '.000000Z') });
    expectNothing(withValue(sample, ['name'], undefined));
  });

  it.each(canonical)('$name may not be changed otherwise', sample => {
    const changes: Sample[] = [
      { id: `marking-definition--${uuid}` },
      { created: '2017-01-20T00:00:00.001Z' },
      { name: 'TLP' },
      { created_by_ref: `identity--${uuid}` },
      { external_references: [{ source_name: 'harbour-watch', url: 'https://watch.example.org' }] },
      { object_marking_refs: [marking] },
      { granular_markings: [{ marking_ref: marking, selectors: ['created'] }] },
      { x_own: 1 },
    ];
    for (const change of changes) expectOnly({ ...sample, ...change }, 'tlp-not-canonical', '/id');
    const content = sample.definition ? ['definition'] : ['extensions', tlp2Extension];
    expectOnly(withValue(sample, [...content, 'x_own'], 1), 'tlp-not-canonical', '/id');
  });

  it.each(canonical)('$name may not stand for another level', sample => {
    const others = ['white', 'green', 'amber', 'red', 'clear', 'amber+strict', 'TLP:RED', `${levelOf(sample)} `];
    const path = sample.definition ? ['definition', 'tlp'] : ['extensions', tlp2Extension, 'tlp_2_0'];
    for (const level of others) {
      const isWhite = ['white', 'clear'].includes(level) && ['white', 'clear'].includes(levelOf(sample));
      const isSame = level === levelOf(sample) || level === `TLP:${levelOf(sample).toUpperCase()}`;
      if (!isSame && !isWhite) expectOnly(withValue(sample, path, level), 'tlp-changed', '/id');
    }
  });

  it('another definition may not take the id of one', () => {
    expectOnly({ ...green, id: white.id }, 'tlp-changed', '/id');
    expectOnly({ ...white, id: green2.id }, 'tlp-changed', '/id');
    expectOnly({ ...green2, id: red2.id }, 'tlp-changed', '/id');
    expectOnly({ ...clear, id: green.id }, 'tlp-changed', '/id');
    // The same level, but not the same definition.
    expectOnly({ ...green2, id: green.id }, 'tlp-not-canonical', '/id');
  });

  it('white under its new name is not canonical, and no lie', () => {
    expectOnly(withValue(white, ['definition', 'tlp'], 'clear'), 'tlp-not-canonical', '/id');
  });

  it.each(canonical)('a statement under the id of $name: the standard itself has one for green (C.2.1)', sample => {
    const { id, created } = sample;
    const common = { type: 'marking-definition', spec_version: '2.1', id, created };
    const statement = { ...common, definition_type: 'statement', definition: { statement: '© the watch' } };
    const isOpen = ['white', 'clear', 'green'].includes(levelOf(sample));
    expectOnly(statement, isOpen ? 'tlp-id-reused' : 'tlp-changed', '/id');
  });

  it('what people are shown, and how it is spelt, counts too', () => {
    expectOnly({ ...green, name: 'TLP:RED' }, 'tlp-changed', '/id');
    expectOnly({ ...green, definition_type: 'TLP', definition: { TLP: 'TLP:RED' } }, 'tlp-changed', '/id');
    expectOnly(
      { ...red2, id: String(red2.id).toUpperCase().replace('MARKING-DEFINITION', 'marking-definition') },
      'tlp-not-canonical',
      '/id',
    );
  });

  describe('a level is no less a lie where it stands beside another', () => {
    const extension = (level: Sample) => ({ [tlp2Extension]: { extension_type: 'property-extension', ...level } });

    it.each<[string, Sample]>([
      [
        'white with red and clear',
        { ...white, definition: { tlp: 'red' }, extensions: extension({ tlp_2_0: 'clear' }) },
      ],
      ['white with white and red', { ...white, extensions: extension({ tlp_2_0: 'red' }) }],
      ['red with red and green', { ...red2, definition_type: 'tlp', definition: { tlp: 'green' } }],
      [
        'red with an extension of no level, and green',
        { ...red2, extensions: extension({ x_own: 1 }), definition_type: 'tlp', definition: { tlp: 'green' } },
      ],
    ])('%s', (_, object) => {
      expectOnly(object, 'tlp-changed', '/id');
    });
  });
});

describe('selectors (STIX 2.1 §7.2.3)', () => {
  const vulnerability = {
    type: 'vulnerability',
    id: `vulnerability--${uuid}`,
    ...versioned,
    name: 'CVE-1999-99999',
    description: 'Orders are printed unseen.',
    external_references: [{ source_name: 'cve', external_id: 'CVE-1999-99999' }],
    labels: ['printer', 'has-logo'],
    x_own: { 'a-b': [[{ '0': true, empty: '' }]], constructor_of: false },
  };
  const marked = (selector: unknown) => ({
    ...vulnerability,
    granular_markings: [{ marking_ref: marking, selectors: ['labels', selector] }],
  });

  it.each([
    'description',
    'external_references.[0].source_name',
    'labels.[0]',
    'labels.[1]',
    'labels',
    'external_references',
    'external_references.[0]',
    'id',
    'granular_markings.[0].selectors.[1]',
    'x_own.a-b.[0].[0].0',
    'x_own.a-b.[0].[0].empty',
    'x_own.constructor_of',
  ])('%s selects', selector => {
    expectNothing(marked(selector));
  });

  it.each([
    'pattern',
    'external_references.[3]',
    'external_references.[1]',
    'description.[0]',
    'description.length',
    'labels.name',
    'labels.0',
    'labels.length',
    'labels.[2]',
    'labels.[99999999999999999999]',
    'external_references.source_name',
    'x_own.[0]',
    'x_own.constructor',
    'toString',
    'revoked',
  ])('%s selects nothing', selector => {
    expectOnly(marked(selector), 'selector-unresolved', '/granular_markings/0/selectors/1');
  });

  it.each([
    '',
    '.',
    'labels.',
    '.labels',
    'labels[0]',
    '[0]',
    'labels.[0',
    'labels.[]',
    'labels.[-1]',
    'labels.[*]',
    '$',
  ])('%j is no selector', selector => {
    expectOnly(marked(selector), 'selector-invalid', '/granular_markings/0/selectors/1');
  });
});
