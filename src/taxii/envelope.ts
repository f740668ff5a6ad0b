/**
 * An envelope (TAXII 2.1 §3.7) of stored objects, as bytes. The objects leave as they came: nothing of them is parsed or
 * made a string. Without objects the key is left out.
 * @param objects their texts, with commas between them; cut anywhere
 */
export function toEnvelope(head: { more: boolean; next?: string }, objects: Buffer[]): Buffer {
  const text = JSON.stringify(head);
  if (objects.length === 0) return Buffer.from(text);
  return Buffer.concat([Buffer.from(`${text.slice(0, -1)},"objects":[`), ...objects, Buffer.from(']}')]);
}
