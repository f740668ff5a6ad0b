import { Command } from 'commander';
import { serve } from '../main.ts';
import { readConfig } from './command.ts';

export const serveCommand = () =>
  new Command('serve')
    .description('run the hub, with migrations applied; .env.example lists what can be set')
    .action(() => serve(readConfig()));
