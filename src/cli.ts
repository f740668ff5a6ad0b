import { Command, CommanderError } from 'commander';
import { auditCommand } from './commands/audit.ts';
import { collectionCommand } from './commands/collection.ts';
import { deliveredCommand } from './commands/delivered.ts';
import { exportCommand } from './commands/export.ts';
import { grantCommand, grantsCommand, revokeGrantCommand } from './commands/grant.ts';
import { importCommand } from './commands/import.ts';
import { keyCommand } from './commands/key.ts';
import { migrateCommand } from './commands/migrate.ts';
import { partnerCommand } from './commands/partner.ts';
import { provenanceCommand } from './commands/provenance.ts';
import { replayCommand } from './commands/replay.ts';
import { rootCommand } from './commands/root.ts';
import { serveCommand } from './commands/serve.ts';
import { tokenCommand } from './commands/token.ts';
import { validateCommand } from './commands/validate.ts';
import { asUnavailable } from './db/pool.ts';
import { HubError, OperatorError } from './errors.ts';

/**
 * Runs one command line, without node and the script in front.
 * @returns the exit code: 0, or 1 after one sentence on stderr
 */
export async function run(args: string[]): Promise<number> {
  const program = new Command('taxiway')
    .description(
      'A TAXII 2.1 hub for sharing cyber threat intelligence.\nAll commands but validate work on the database of the hub: DATABASE_URL, or the embedded one.',
    )
    .addCommand(serveCommand())
    .addCommand(migrateCommand())
    .addCommand(partnerCommand())
    .addCommand(rootCommand())
    .addCommand(collectionCommand())
    .addCommand(grantCommand())
    .addCommand(revokeGrantCommand())
    .addCommand(grantsCommand())
    .addCommand(replayCommand())
    .addCommand(tokenCommand())
    .addCommand(keyCommand())
    .addCommand(importCommand())
    .addCommand(exportCommand())
    .addCommand(auditCommand())
    .addCommand(provenanceCommand())
    .addCommand(deliveredCommand())
    .addCommand(validateCommand());
  try {
    throwInsteadOfExiting(program);
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    process.stderr.write(`taxiway: ${describe(error)}\n`);
    return 1;
  }
}

function throwInsteadOfExiting(command: Command): void {
  command.exitOverride();
  command.commands.forEach(throwInsteadOfExiting);
}

function describe(error: unknown): string {
  if (error instanceof OperatorError || error instanceof HubError) return error.message;
  // Of a file that cannot be read or written.
  if (error instanceof Error && 'path' in error) return `${error.message}.`;
  return asUnavailable(error)?.message ?? (error instanceof Error ? error.message : String(error));
}
