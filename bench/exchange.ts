import type { IncomingHttpHeaders } from 'node:http';
import { Client } from 'undici';

export const mediaType = 'application/taxii+json;version=2.1';
const edgeBytes = 1000;

/** What came back, but for the middle of the body: keeping and reading it would measure this process. */
export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  /** of the body, at most its first and its last thousand bytes */
  start: string;
  end: string;
  bytes: number;
  /** from sending to the last byte */
  ms: number;
}

/** One connection, one request at a time, by undici: it costs the machine the least. */
export function openConnection(url: string): Client {
  return new Client(new URL(url).origin, { pipelining: 1, headersTimeout: 120_000, bodyTimeout: 120_000 });
}

/** One request over a connection. Any status will do. */
export function exchange(
  client: Client,
  request: { method?: 'GET' | 'POST'; path: string; headers: Record<string, string>; body?: Buffer },
): Promise<Reply> {
  const sentAt = performance.now();
  return new Promise((resolve, reject) => {
    const reply: Reply = { status: 0, headers: {}, start: '', end: '', bytes: 0, ms: 0 };
    let last: Buffer | undefined;
    client.dispatch(
      {
        method: 'GET',
        ...request,
        headers: { ...request.headers, ...(request.body && { 'content-type': mediaType }) },
      },
      {
        onRequestStart() {},
        onResponseStart(_, status, headers) {
          reply.status = status;
          reply.headers = headers;
        },
        onResponseData(_, chunk) {
          if (reply.bytes === 0) reply.start = chunk.toString('latin1', 0, edgeBytes);
          reply.bytes += chunk.length;
          last = chunk;
        },
        onResponseEnd() {
          reply.end = last?.toString('latin1', Math.max(0, last.length - edgeBytes)) ?? '';
          reply.ms = performance.now() - sentAt;
          resolve(reply);
        },
        onResponseError: (_, error) => reject(error),
      },
    );
  });
}
