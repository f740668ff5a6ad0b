import { Command } from 'commander';
import { revokeSigningKey, rotateSigningKey } from '../auth/signing-keys.ts';
import { operator } from '../db/audit.ts';
import { listSigningKeys } from '../db/signing-keys.ts';
import { OperatorError } from '../errors.ts';
import { describeCommand, printResult, printRows, withHub } from './command.ts';

export const keyCommand = () =>
  new Command('key')
    .description("the keys that sign the hub's tokens")
    .addCommand(
      describeCommand('rotate', 'sign with a new key; tokens of older ones stay good until they expire').action(
        options =>
          withHub(async ({ db }) => {
            const kid = await db.transaction().execute(tx => rotateSigningKey(tx, operator));
            printResult(`${kid} signs from now on.`, { kid }, options);
          }),
      ),
    )
    .addCommand(
      describeCommand('list', 'list the keys, newest first, and the tokens that are good by them').action(options =>
        withHub(async ({ db }) => printRows(await listSigningKeys(db), options)),
      ),
    )
    .addCommand(
      describeCommand('revoke <kid>', 'stop all tokens of a key within two seconds, for one that has leaked').action(
        (kid, options) =>
          withHub(async ({ db }) => {
            const before = await db.transaction().execute(tx => revokeSigningKey(tx, operator, kid));
            if (!before) throw new OperatorError(`There is no key "${kid}": \`npx taxiway key list\` shows them.`);
            const { tokens } = before;
            const line = `Revoked ${kid}. Tokens that stop: ${tokens}; \`npx taxiway token issue\` makes others.`;
            printResult(line, { kid, revoked: true, tokens }, options);
          }),
      ),
    );
