type Sample = Record<string, unknown>;

const creator = 'identity--0d6a4f5e-6f6b-4c52-9d0e-4f6d1f3f7a10';
const campaign = 'campaign--3b8d2a1f-5c4e-4f6a-9b7c-8d9e0f1a2b3c';
const otherMarking = 'marking-definition--c5c6cc5b-9b30-4a1e-8d68-2d6b1a205a9f';
const extension = 'extension-definition--6f1b9f0c-53f3-4b5c-8a89-0d5f9d3c4e21';
const references = [{ source_name: 'harbour-watch', url: 'https://watch.example.org/rules' }];
const nested = { [extension]: { extension_type: 'property-extension', berth: 4 } };

const tlp = (level: string, id: string) => ({
  type: 'marking-definition',
  spec_version: '2.1',
  id,
  created: '2017-01-20T00:00:00.000Z',
  definition_type: 'tlp',
  name: `TLP:${level.toUpperCase()}`,
  definition: { tlp: level },
});

/** The four markings of the Traffic Light Protocol that the standard lists (STIX 2.1 §7.2.1). */
export const tlpSamples: Sample[] = [
  tlp('white', 'marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9'),
  tlp('green', 'marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da'),
  tlp('amber', 'marking-definition--f88d31f6-486f-44da-b317-01333bde0b82'),
  tlp('red', 'marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed'),
];

/** Objects that hold every property of their type: two where properties exclude each other. */
export const metaSamples: Sample[] = [
  {
    type: 'marking-definition',
    spec_version: '2.1',
    id: 'marking-definition--b4b5bb4a-8a2f-4f0d-9c57-1c5a0f1f4f8e',
    created: '2024-03-01T08:00:00.000Z',
    created_by_ref: creator,
    external_references: references,
    object_marking_refs: [otherMarking],
    granular_markings: [{ marking_ref: otherMarking, selectors: ['name'] }],
    extensions: nested,
    name: 'For the watch',
    definition_type: 'statement',
    definition: { statement: 'Only for those who keep watch.' },
  },
  ...tlpSamples,
  {
    type: 'marking-definition',
    spec_version: '2.1',
    id: otherMarking,
    created: '2024-03-01T08:00:00.000Z',
    name: 'For one harbour',
    extensions: nested,
  },
  {
    type: 'language-content',
    spec_version: '2.1',
    id: 'language-content--520af1e6-831e-4a37-82e9-be1fc2d3e4f5',
    created: '2024-03-03T08:00:00.000Z',
    modified: '2024-03-03T08:00:00.000Z',
    created_by_ref: creator,
    revoked: false,
    labels: ['translation'],
    confidence: 90,
    external_references: references,
    object_marking_refs: [otherMarking],
    granular_markings: [{ marking_ref: otherMarking, selectors: ['contents.de.name'] }],
    extensions: nested,
    object_ref: campaign,
    object_modified: '2024-03-02T09:30:00.125Z',
    contents: {
      de: { name: 'Niedrigwasser', aliases: ['Ebbe'] },
      'zh-Hant-TW': { name: '低潮', external_references: [{ description: '' }] },
    },
  },
  {
    type: 'extension-definition',
    spec_version: '2.1',
    id: extension,
    created: '2024-02-01T08:00:00.000Z',
    modified: '2024-02-01T08:00:00.000Z',
    created_by_ref: creator,
    revoked: false,
    labels: ['harbour'],
    external_references: references,
    object_marking_refs: [otherMarking],
    granular_markings: [{ lang: 'en', selectors: ['description'] }],
    name: 'Berths',
    description: 'Says at which berth something happened.',
    schema: 'https://watch.example.org/schemas/berth.json',
    version: '1.0.0',
    extension_types: ['property-extension', 'toplevel-property-extension', 'new-sdo', 'new-sco', 'new-sro'],
    extension_properties: ['berth'],
  },
];

export const bundleSamples: Sample[] = [
  {
    type: 'bundle',
    id: 'bundle--631ba2f7-942f-4b48-93fa-cf20d3e4f506',
    objects: [
      {
        type: 'tool',
        spec_version: '2.1',
        id: 'tool--130ba2f7-942f-4be8-93fa-cfd0e1f20314',
        created: '2024-03-01T08:00:00.000Z',
        modified: '2024-03-01T08:00:00.000Z',
        name: 'Chart printer',
      },
      { type: 'ipv4-addr', id: 'ipv4-addr--00f9d910-8d7b-53ca-abee-e556984ba08a', value: '198.51.100.4' },
    ],
    x_harbour_sent_by: 'north-quay',
  },
];
