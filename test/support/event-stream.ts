import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';

export interface StreamEvent {
  id: string;
  data: string;
}

export interface EventStream {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** those that have come and were not taken yet; ends with the stream */
  events: AsyncGenerator<StreamEvent>;
  /** hangs up */
  close(): void;
}

/** Reads the events of a stream as the HTML standard (§9.2.6) has it. */
export async function* parseEvents(chunks: AsyncIterable<Buffer | string>): AsyncGenerator<StreamEvent> {
  let rest = '';
  let id = '';
  let data: string[] = [];
  for await (const chunk of chunks) {
    // A CR at the end may be the first half of a line break.
    const text = rest + chunk.toString('latin1');
    const lines = text.replace(/\r$/, '').split(/\r\n|\r|\n/);
    rest = (lines.pop() ?? '') + (text.endsWith('\r') ? '\r' : '');
    for (const line of lines) {
      const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
      if (line === '') {
        if (data.length > 0) yield { id, data: Buffer.from(data.join('\n'), 'latin1').toString() };
        data = [];
      } else if (field === 'data') data.push(value);
      else if (field === 'id') id = value;
    }
  }
}

/** Opens a stream over a real connection, on a node that listens. */
export async function openStream(
  app: FastifyInstance,
  path: string,
  headers: http.OutgoingHttpHeaders,
): Promise<EventStream> {
  const { port } = app.server.address() as AddressInfo;
  const request = http.get({ port, path, headers, agent: false });
  request.on('error', () => {});
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  answer.on('error', () => {});
  return {
    status: answer.statusCode as number,
    headers: answer.headers,
    events: parseEvents(ignoringAborts(answer)),
    close: () => void request.destroy(),
  };
}

async function* ignoringAborts(answer: http.IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of answer) yield chunk;
  } catch {
    // The connection is gone, and with it what was not whole.
  }
}
