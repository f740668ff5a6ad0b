const end = Buffer.from('\n\n');
// Up to here a copy costs less than several writes.
const joinedBytesMax = 16 * 1024;
const escaped = new WeakMap<Buffer, Buffer>();

/**
 * An event of a stream (HTML standard §9.2, Server-Sent Events), in pieces: one that holds the data alone, where that is
 * large, so that all who are sent the same data share it, and a small one after it.
 * @param id for Last-Event-ID, in one line
 * @param data JSON text. Line breaks stand between its tokens only, and come out as line feeds: they mean the same
 */
export function toEvent(id: string, data: Buffer): Buffer[] {
  const pieces = [Buffer.from(`id: ${id}\ndata: `), escapeLines(data), end];
  return data.length > joinedBytesMax ? pieces : [Buffer.concat(pieces)];
}

function escapeLines(data: Buffer): Buffer {
  const known = escaped.get(data);
  if (known) return known;
  const lines = hasBreaks(data) ? writeBreaksAnew(data) : data;
  escaped.set(data, lines);
  return lines;
}

const hasBreaks = (data: Buffer) => data.includes('\n') || data.includes('\r');

// As latin1, in which every byte is a character and comes back as it was.
function writeBreaksAnew(data: Buffer): Buffer {
  return Buffer.from(data.toString('latin1').replace(/\r\n|\r|\n/g, '\ndata: '), 'latin1');
}
