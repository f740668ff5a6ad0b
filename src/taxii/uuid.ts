/** Whether a text is a UUID of any version, in either letter case: what ids of collections, statuses and tokens are. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
