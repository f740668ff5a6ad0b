import http from 'node:http';
import https from 'node:https';
import { target } from './target.ts';

export interface Request {
  method: string;
  /** sent as it is: not normalised, not escaped */
  path: string;
  /** nothing is added to them but Host and the length of a body */
  headers?: http.OutgoingHttpHeaders;
  body?: string | Buffer;
}

export interface Answer {
  request: Request;
  status: number;
  headers: http.IncomingHttpHeaders;
  /** the bytes of the body, read as UTF-8 */
  text: string;
  /** the body as JSON; undefined where it is empty */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it after its shape was checked
  body: any;
}

const silenceMsMax = 30_000;

/** Sends one request over a connection of its own. */
export function exchange(request: Request): Promise<Answer> {
  const url = new URL(target.url);
  const { method, path, headers = {}, body } = request;
  return new Promise((resolve, reject) => {
    const length =
      body === undefined || 'transfer-encoding' in headers ? {} : { 'content-length': Buffer.byteLength(body) };
    const outgoing = (url.protocol === 'https:' ? https : http).request({
      hostname: url.hostname,
      port: url.port,
      method,
      path,
      headers: { ...length, ...headers },
      agent: false,
    });
    outgoing.on('response', response => {
      const chunks: Buffer[] = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        outgoing.destroy();
        const { statusCode: status = 0, headers: received } = response;
        try {
          const text = decode(Buffer.concat(chunks));
          resolve({ request, status, headers: received, text, body: parse(text) });
        } catch (error) {
          reject(new Error(`${method} ${path} -> ${status}: ${(error as Error).message}`));
        }
      });
    });
    outgoing.setTimeout(silenceMsMax, () => outgoing.destroy(new Error(`${method} ${path}: no answer`)));
    outgoing.on('error', reject);
    if (headers.expect === '100-continue') {
      outgoing.on('continue', () => outgoing.end(body));
      outgoing.flushHeaders();
    } else outgoing.end(body);
  });
}

// Fatal, because TAXII is UTF-8 (TAXII 2.1 §1.6.7).
function decode(bytes: Buffer): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`The body is not JSON: ${text.slice(0, 200)}`);
  }
}
