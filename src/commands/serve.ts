import cluster from 'node:cluster';
import { Command } from 'commander';
import { serve } from '../main.ts';
import { superviseWorkers } from '../workers.ts';
import { readConfig } from './command.ts';

export const serveCommand = () =>
  new Command('serve')
    .description('run the hub, with migrations applied; .env.example lists what can be set')
    .action(() => {
      const config = readConfig();
      return config.workers > 1 && cluster.isPrimary ? superviseWorkers(config) : serve(config);
    });
