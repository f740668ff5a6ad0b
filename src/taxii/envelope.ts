import type { ObjectPage } from '../db/objects.ts';

interface Head {
  more: boolean;
  next?: string;
}

const tail = Buffer.from(']}');

/**
 * An envelope (TAXII 2.1 §3.7) of stored objects, as bytes. The objects leave as they came: nothing of them is parsed or
 * made a string. Without objects the key is left out.
 * @param page its texts have commas between them; the envelope stays with it, for whoever is sent the same page
 */
export function toEnvelope(head: Head, page: ObjectPage | undefined): Buffer | Head {
  if (!page?.count) return head;
  const text = JSON.stringify(head);
  if (page.envelope?.head === text) return page.envelope.bytes;
  const begin = Buffer.from(`${text.slice(0, -1)},"objects":[`);
  const bytes = Buffer.concat([begin, ...page.pieces, tail]);
  page.envelope = { head: text, bytes };
  // The same bytes, so that they are held only once.
  page.pieces = [bytes.subarray(begin.length, -tail.length)];
  return bytes;
}
