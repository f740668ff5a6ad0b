import { isRecord } from '../object-types.ts';
import { type ProblemList, pointerTo } from '../problems.ts';

/**
 * Judges the lengths of the bytes in an object and in its extensions, which their names tell (STIX 2.1 §2.1, §2.8, §3.1):
 * no pattern of a schema can, since counting overflows the regular expression engine on megabytes.
 * @param place where the object stands in the judged one, as a JSON Pointer
 */
export function judgeBytes(object: Record<string, unknown>, problems: ProblemList, place = ''): void {
  judgeLengths(object, problems, place);
  for (const [name, extension] of isRecord(object.extensions) ? Object.entries(object.extensions) : []) {
    if (!isRecord(extension)) continue;
    const path = `${place}/extensions${pointerTo(name)}`;
    judgeLengths(extension, problems, path);
    // Of all that predefined extensions hold, only this has such names; in a dictionary names are those of others.
    const { optional_header } = extension;
    if (isRecord(optional_header)) judgeLengths(optional_header, problems, `${path}/optional_header`);
  }
}

function judgeLengths(properties: Record<string, unknown>, problems: ProblemList, place: string): void {
  for (const name of Object.keys(properties)) {
    const isHex = name.endsWith('_hex');
    const value = isHex || name.endsWith('_bin') ? properties[name] : undefined;
    if (typeof value !== 'string' || value.length % (isHex ? 2 : 4) === 0) continue;
    problems.add(isHex ? 'hexadecimal-invalid' : 'binary-invalid', place + pointerTo(name));
  }
}
