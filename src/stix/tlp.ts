import { isRecord } from './object-types.ts';

/** The scale of the Traffic Light Protocol, lowest first. TLP 1.0 called clear white. */
export const tlpLabels = ['clear', 'green', 'amber', 'amber+strict', 'red'] as const;

export type TlpLabel = (typeof tlpLabels)[number];

/** A place on that scale: 0 clear to 4 red. */
export type TlpLevel = number;

/** All of them. */
export const tlpLevels: readonly TlpLevel[] = tlpLabels.map((_, level) => level);

/** The highest level: who may see it may see everything. */
export const tlpRed: TlpLevel = 4;

/** A marking definition that stands for a level. */
export interface TlpMarking {
  label: TlpLabel;
  name: string;
  /** the instant, as `timestamp.ts` writes it */
  created: string;
  /** where the level stands: TLP 1 is of the standard itself, TLP 2.0 an extension of it */
  content: Record<string, unknown>;
}

/** The extension with which OASIS defines TLP 2.0 for STIX 2.1. */
export const tlpExtension = 'extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d';

function tlp1(label: TlpLabel, tlp: string = label): TlpMarking {
  const content = { definition_type: 'tlp', definition: { tlp } };
  return { label, name: `TLP:${tlp.toUpperCase()}`, created: '2017-01-20T00:00:00', content };
}

function tlp2(label: TlpLabel): TlpMarking {
  const extension = { extension_type: 'property-extension', tlp_2_0: label };
  const content = { extensions: { [tlpExtension]: extension } };
  return { label, name: `TLP:${label.toUpperCase()}`, created: '2022-10-01T00:00:00', content };
}

/** By their ids: STIX 2.1 §7.2.1.4, and the definitions of TLP 2.0 that OASIS publishes for use with STIX 2.1. */
export const tlpMarkings: ReadonlyMap<string, TlpMarking> = new Map([
  ['marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9', tlp1('clear', 'white')],
  ['marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da', tlp1('green')],
  ['marking-definition--f88d31f6-486f-44da-b317-01333bde0b82', tlp1('amber')],
  ['marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed', tlp1('red')],
  ['marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487', tlp2('clear')],
  ['marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb', tlp2('green')],
  ['marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421', tlp2('amber')],
  ['marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003', tlp2('amber+strict')],
  ['marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1', tlp2('red')],
]);

// OpenCTI had a definition of this level of its own before TLP 2.0 had one for STIX, and writes it still.
const otherMarkings = new Map<string, TlpLabel>([
  ['marking-definition--826578e1-40ad-459f-bc73-ede076f81f37', 'amber+strict'],
]);

/** The level that a marking definition's id stands for. undefined: it is none of TLP that is known */
function tlpLevelOfMarking(id: unknown): TlpLevel | undefined {
  if (typeof id !== 'string') return undefined;
  const key = id.toLowerCase();
  const label = tlpMarkings.get(key)?.label ?? otherMarkings.get(key);
  return label && tlpLevelOfLabel(label);
}

/** Whether a marking definition says that it is one of TLP, in the form of TLP 1 or in that of TLP 2.0. */
export function isTlpMarking({ definition_type, extensions }: Record<string, unknown>): boolean {
  if (isRecord(extensions) && Object.hasOwn(extensions, tlpExtension)) return true;
  return typeof definition_type === 'string' && definition_type.toLowerCase() === 'tlp';
}

/** Whether an object is a TLP marking whose id is none of those that are known, so that it marks nothing. */
export function isUnknownTlpMarking(object: Record<string, unknown>): boolean {
  return object.type === 'marking-definition' && isTlpMarking(object) && tlpLevelOfMarking(object.id) === undefined;
}

/** The level that people name by a label. */
export function tlpLevelOfLabel(label: TlpLabel): TlpLevel {
  return tlpLabels.indexOf(label);
}

/**
 * The level of an object: the highest of the markings of the whole of it and of its parts (STIX 2.1 §7.2.2, §7.2.3).
 * undefined: it carries no TLP marking
 */
export function tlpLevelOf(object: Record<string, unknown>): TlpLevel | undefined {
  let highest: TlpLevel | undefined;
  for (const reference of markingsOf(object)) {
    const level = tlpLevelOfMarking(reference);
    if (level !== undefined && level > (highest ?? -1)) highest = level;
  }
  return highest;
}

/** What an object, or a part of it, is marked with. */
export function markingsOf({ object_marking_refs, granular_markings }: Record<string, unknown>): unknown[] {
  const whole = Array.isArray(object_marking_refs) ? object_marking_refs : [];
  const parts = Array.isArray(granular_markings) ? granular_markings.filter(isRecord) : [];
  return [...whole, ...parts.map(part => part.marking_ref)];
}

/** What people call a level: `TLP:AMBER+STRICT`. */
export function describeTlp(level: TlpLevel): string {
  return `TLP:${tlpLabels[level]?.toUpperCase()}`;
}
