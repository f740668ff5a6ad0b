import type { ChildProcess } from 'node:child_process';
import { stopProcess } from '../children.ts';
import type { BenchHub } from '../hub.ts';
import type { Server } from '../measures/peers.ts';
import { startMedallion } from './medallion.ts';
import { startOpenTaxii } from './opentaxii.ts';

/** A server that was started for the comparison. */
export interface Peer {
  server: Server;
  child: ChildProcess;
}

/** Installs and starts the TAXII 2.1 servers that can be had; the others are told, and left out. */
export async function startPeers(hub: BenchHub, progress: (message: string) => void) {
  const peers: Peer[] = [];
  for (const start of [startOpenTaxii, startMedallion]) {
    try {
      peers.push(await start(hub));
    } catch (error) {
      progress(`  ${start.name} failed: ${(error as Error).message}`);
    }
  }
  return {
    servers: peers.map(({ server }) => server),
    stop: async () => {
      for (const { child } of peers) await stopProcess(child);
    },
  };
}
