/**
 * A process that holds the embedded database: `node --import tsx embedded-holder.ts <dataDir>`.
 * Prints its connection as one line of JSON, or the message of its error; releases at the end of its input.
 */
import { acquireEmbeddedDatabase } from '../../src/db/embedded.ts';

try {
  const embedded = await acquireEmbeddedDatabase({ dataDir: process.argv[2] ?? '' });
  console.log(JSON.stringify(embedded.connection));
  process.stdin.resume().once('end', () => embedded.release());
} catch (error) {
  console.log(JSON.stringify({ error: (error as Error).message }));
}
