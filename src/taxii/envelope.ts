interface Head {
  more: boolean;
  next?: string;
}

/**
 * An envelope (TAXII 2.1 §3.7) of stored objects, as bytes. The objects leave as they came: nothing of them is parsed or
 * made a string. Without objects the key is left out.
 * @param objects their texts, with commas between them; cut anywhere
 */
export function toEnvelope(head: Head, objects: Buffer[]): Buffer | Head {
  if (objects.length === 0) return head;
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(head).slice(0, -1)},"objects":[`),
    ...objects,
    Buffer.from(']}'),
  ]);
}
