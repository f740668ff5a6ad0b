import { parseArgs } from 'node:util';

/** What the command line asks for. */
export interface Options {
  isQuick: boolean;
  isLarge: boolean;
  /** in the large collection */
  objects: number;
  /** the measurements to run, in their order */
  names: string[];
  /** no measurement: the last results into README.md */
  isReport: boolean;
  isProfile: boolean;
  /** OpenTAXII and medallion are to be installed and compared */
  isWithPeers: boolean;
  /** servers that run already: the URL of a collection, and what to send as Authorization */
  peers: { url: string; authorization: string | undefined }[];
}

/**
 * Reads the command line.
 * @param names all measurements
 * @throws Error saying what is wrong
 * @returns undefined where help is asked for
 */
export function parseOptions(args: string[], names: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      large: { type: 'boolean', default: false },
      objects: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      report: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      peer: { type: 'string', multiple: true, default: [] },
      user: { type: 'string', multiple: true, default: [] },
      token: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const only = values.only.flatMap(text => text.split(','));
  const unknown = only.find(name => !names.includes(name));
  if (unknown !== undefined) throw new Error(`There is no measurement "${unknown}": take ${names.join(', ')}.`);
  const peers = values.peer.map((url, n) => ({ url: readUrl(url), authorization: toAuthorization(values, n) }));
  const isWithPeers = values.peers || peers.length > 0;
  return {
    isQuick: values.quick,
    isLarge: values.large,
    objects: readObjects(values.objects ?? (values.quick ? '50000' : values.large ? '10000000' : '1000000')),
    names: names.filter(name => (only.length > 0 ? only.includes(name) : name !== 'peers' || isWithPeers)),
    isReport: values.report,
    isProfile: values.profile,
    isWithPeers: values.peers,
    peers,
  };
}

function readObjects(text: string): number {
  const objects = Number(text);
  if (Number.isInteger(objects / 10_000) && objects >= 20_000) return objects;
  throw new Error(`--objects takes a multiple of 10,000, at least 20,000, not "${text}".`);
}

function readUrl(text: string): string {
  if (URL.canParse(text) && /\/collections\/[^/]+\/?$/.test(text)) return text.replace(/\/?$/, '/');
  throw new Error(`--peer takes the URL of a collection, such as https://host/root/collections/id/, not "${text}".`);
}

// The nth --user or --token goes with the nth --peer; a token counts where both are given.
function toAuthorization({ user, token }: { user: string[]; token: string[] }, n: number): string | undefined {
  if (token[n]) return `Bearer ${token[n]}`;
  if (user[n]) return `Basic ${Buffer.from(user[n]).toString('base64')}`;
  return undefined;
}
