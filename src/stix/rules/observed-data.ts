import { isRecord, schemaNameOf } from '../object-types.ts';
import { type ProblemList, pointerTo } from '../problems.ts';
import { addSchemaErrors } from '../schema-errors.ts';
import { checkSchema, type ErrorObject, isObservableType, isStandardType } from '../schemas.ts';
import { judgeBytes } from './bytes.ts';
import { judgeLanguages } from './languages.ts';
import { judgeObservable } from './observables.ts';
import { judgeOrderOfType } from './timestamps.ts';

type Container = Record<string, unknown>;

// What refers to no observable: markings and creators are none, and the keys of dictionaries are names of others.
const outwardProperties = new Set([
  ...['created_by_ref', 'marking_ref', 'object_marking_refs', 'additional_header_fields', 'document_info_dict'],
  ...['environment_variables', 'exif_tags', 'ipfix', 'options', 'request_header', 'startup_info'],
]);

/**
 * Judges the observables in the deprecated container of observed data (STIX 2.1 §2.13): each by the schema of its type,
 * but they need no id and refer to each other by their keys in the container.
 */
export function judgeContainer(observedData: Record<string, unknown>, problems: ProblemList): void {
  const { objects: container } = observedData;
  if (!isRecord(container)) return;
  for (const [key, member] of Object.entries(container)) {
    if (problems.isFull) return;
    if (!isRecord(member)) continue;
    const path = `/objects${pointerTo(key)}`;
    const { type } = member;
    if (typeof type === 'string' && isStandardType(type) && !isObservableType(type)) {
      problems.add('container-member', `${path}/type`);
      continue;
    }
    const name = schemaNameOf({ ...member, created: undefined, modified: undefined });
    const errors = checkSchema(name, member).filter(error => countsInContainer(error, container));
    addSchemaErrors(errors, problems, name, path);
    judgeBytes(member, problems, path);
    judgeLanguages(member, problems, path);
    judgeObservable(member, problems, path);
    judgeOrderOfType(member, problems, path);
    judgeReferences(member, container, problems, path);
  }
}

/**
 * Leaves out what only identifiers and versions have to satisfy: in STIX 2.0 created and modified of a file were those of
 * the file. The type of what is referred to counts.
 */
function countsInContainer({ keyword, params, parentSchema, data }: ErrorObject, container: Container): boolean {
  const title: string = parentSchema?.title ?? '';
  if (keyword === 'required' && params.missingProperty === 'id') return false;
  if (keyword !== 'pattern') return true;
  if (/^(?:identifier|named reference|millisecond timestamp)/.test(title)) return false;
  if (!title.startsWith('reference to ')) return true;
  const target = typeof data === 'string' && Object.hasOwn(container, data) ? container[data] : undefined;
  // What is not in the container is said by judgeReferences.
  if (!isRecord(target)) return false;
  return typeof target.type !== 'string' || !new RegExp(params.pattern).test(`${target.type}--`);
}

/** STIX 2.1 §2.9, §2.13: what a member refers to must be in the same container. */
function judgeReferences(root: object, container: Container, problems: ProblemList, rootPath: string): void {
  const places = [{ value: root, path: rootPath }];
  for (const { value, path } of places) {
    for (const [key, child] of Object.entries(value)) {
      const childPath = path + pointerTo(key);
      if (outwardProperties.has(key)) continue;
      if (key.endsWith('_ref')) judgeReference(child, childPath);
      else if (key.endsWith('_refs') && Array.isArray(child)) {
        for (const [index, reference] of child.entries()) judgeReference(reference, `${childPath}/${index}`);
      } else if (typeof child === 'object' && child !== null) places.push({ value: child, path: childPath });
    }
  }

  function judgeReference(reference: unknown, path: string): void {
    if (typeof reference === 'string' && !Object.hasOwn(container, reference))
      problems.add('container-reference', path);
  }
}
