import type { Figure } from './figures.ts';
import type { Bench } from './hub.ts';
import { measureAuthorisation } from './measures/authorisation.ts';
import { measureBundle } from './measures/bundle.ts';
import { measureCollections } from './measures/collections.ts';
import { measureGrowth } from './measures/growth.ts';
import { measureJudging } from './measures/judging.ts';
import { measureLatency } from './measures/latency.ts';
import { measureMemory } from './measures/memory.ts';
import { measurePages } from './measures/pages.ts';
import { measurePeers } from './measures/peers.ts';
import { measurePolls } from './measures/polls.ts';
import { measurePush } from './measures/push.ts';
import { measureWriting } from './measures/writing.ts';

/** All that can be measured, in the order in which it is: what makes the table large comes last. */
export const measurements: Record<string, (bench: Bench) => Promise<Figure[]>> = {
  judging: measureJudging,
  writing: measureWriting,
  pages: measurePages,
  polls: measurePolls,
  latency: measureLatency,
  push: measurePush,
  authorisation: measureAuthorisation,
  collections: measureCollections,
  peers: measurePeers,
  memory: measureMemory,
  bundle: measureBundle,
  growth: measureGrowth,
};
