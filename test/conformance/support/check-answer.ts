import type { Answer } from './http.ts';
import { findProblems, isTaxiiTimestamp, type ResourceName } from './resources.ts';
import { target } from './target.ts';

/**
 * What every answer must be, whatever the test is about. Each request of the suite passes here.
 * @throws Error that lists everything that is wrong
 */
export function checkAnswer(answer: Answer): void {
  const problems = [
    ...findStatusProblems(answer),
    ...findMediaTypeProblems(answer),
    ...findBodyProblems(answer),
    ...findDateHeaderProblems(answer),
  ];
  if (problems.length === 0) return;
  const { request, status, text } = answer;
  const what = `${request.method} ${request.path} -> ${status}`;
  throw new Error([what, ...problems.map(problem => `  ${problem}`), `  body: ${text.slice(0, 300)}`].join('\n'));
}

function findStatusProblems({ status, headers }: Answer): string[] {
  // A redirect turns the POST of many clients into a GET, or loses their credential.
  if (status >= 300 && status < 400) return ['redirects'];
  if (status >= 500 && status !== 503) return ['is an error of the server'];
  if (status !== 401) return [];
  // §1.6.9, RFC 7235 §4.1
  const challenge = headers['www-authenticate'] ?? '';
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+( |$)/.test(challenge) ? [] : ['401 without a challenge in WWW-Authenticate'];
}

/** §3.1, in the way that taxii2client compares, which most clients are built on. */
export function findMediaTypeProblems({ headers }: Pick<Answer, 'headers'>): string[] {
  const [type, ...parameters] = (headers['content-type'] ?? '').replaceAll(' ', '').split(';');
  if (type === 'application/taxii+json' && parameters.includes('version=2.1')) return [];
  return [`Content-Type is ${headers['content-type']}, not application/taxii+json;version=2.1`];
}

function findBodyProblems(answer: Answer): string[] {
  const { request, status, text, body } = answer;
  if (request.method === 'HEAD') return text === '' ? [] : ['HEAD answered with a body'];
  if (status >= 400) {
    // §3.1: an error message MAY be in the body.
    if (body === undefined) return target.hasHouseRules ? ['an error without a body'] : [];
    const isOther = body.http_status !== undefined && body.http_status !== String(status);
    return [...findProblems('error', body), ...(isOther ? ['http_status is not the status'] : [])];
  }
  if (request.method === 'DELETE') return [];
  const resource = resourceAt(request);
  if (resource === undefined) return ['a success where the standard defines none'];
  return [...findProblems(resource, body), ...(resource === 'status' ? [] : findLimitProblems(answer))];
}

// §3.4: never more objects than asked for.
function findLimitProblems({ request, body }: Answer): string[] {
  const limit = Number(new URLSearchParams(request.path.split('?')[1]).get('limit') ?? Number.NaN);
  const count = (body.objects ?? body.versions ?? []).length;
  return count > limit ? [`${count} objects, where the limit is ${limit}`] : [];
}

function findDateHeaderProblems({ request, status, headers, body }: Answer): string[] {
  const resource = resourceAt(request);
  const isPaged = resource === 'envelope' || resource === 'manifest' || resource === 'versions';
  if (status !== 200 || !isPaged || !['GET', 'HEAD'].includes(request.method)) return [];
  const first = headers['x-taxii-date-added-first'];
  const last = headers['x-taxii-date-added-last'];
  // §3.2: on every success, also of an empty page.
  if (!isTaxiiTimestamp(first) || !isTaxiiTimestamp(last)) return [`X-TAXII-Date-Added-* are ${first} and ${last}`];
  if (first > last) return ['X-TAXII-Date-Added-First is later than -Last'];
  const records = (resource === 'manifest' && body?.objects) || [];
  if (records.length > 0 && records[0].date_added !== first) return ['X-TAXII-Date-Added-First is not of the first'];
  if (records.length > 0 && records.at(-1).date_added !== last) return ['X-TAXII-Date-Added-Last is not of the last'];
  return [];
}

/** What a success at this endpoint carries; doubled and missing slashes are read as if they were right. */
function resourceAt({ method, path }: Answer['request']): ResourceName | undefined {
  const segments = (path.split('?')[0] ?? '').split('/').filter(segment => segment !== '');
  if (segments.length === 1 && segments[0] === 'taxii2') return 'discovery';
  const [area, id, part, object, leaf] = segments.slice(target.apiRoot.split('/').length - 2);
  if (area === undefined) return 'api-root';
  if (area === 'status') return 'status';
  if (id === undefined) return 'collections';
  if (part === undefined) return 'collection';
  if (part === 'manifest') return 'manifest';
  if (part === 'objects' && leaf === 'versions') return 'versions';
  if (part === 'objects') return method === 'POST' && object === undefined ? 'status' : 'envelope';
  return undefined;
}
