/**
 * An event of a stream (HTML standard §9.2, Server-Sent Events).
 * @param id for Last-Event-ID, in one line
 * @param data JSON text. Line breaks stand between its tokens only, and come out as line feeds: they mean the same
 */
export function toEvent(id: string, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`id: ${id}\ndata: `), escapeLines(data), Buffer.from('\n\n')]);
}

// As latin1, in which every byte is a character and comes back as it was.
function escapeLines(data: Buffer): Buffer {
  if (!data.includes('\n') && !data.includes('\r')) return data;
  return Buffer.from(data.toString('latin1').replace(/\r\n|\r|\n/g, '\ndata: '), 'latin1');
}
