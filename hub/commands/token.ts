/** `ctx hub token rotate`: a new admin token without a restart (FM-40). */
import type { Command } from 'commander';
import * as z from 'zod';
import { adminTokenPath } from '../admin-token';
import { dataDirOf } from '../config';
import { askLocalHub } from '../../core/node/local-hub/local-control';
import { DATA_DIR_FLAG, jsonAnswer, type HubCommandContext } from './context';

export function addTokenCommands(hub: Command, context: HubCommandContext): void {
  hub
    .command('token')
    .description('the admin token')
    .command('rotate')
    .description('replace the admin token of the running hub; the old one stops working at once')
    .option(...DATA_DIR_FLAG)
    .option('--json', 'print one JSON line')
    .addHelpText('after', '\nExample:\n  $ ctx hub token rotate\n')
    .action(async (flags: { dataDir?: string; json?: boolean }) => {
      const dataDir = dataDirOf(flags.dataDir, context.io);
      const { token } = z.object({ token: z.string() }).parse(await askLocalHub(dataDir, 'token_rotate'));
      const file = adminTokenPath(dataDir);
      context.io.stdout(
        flags.json === true
          ? jsonAnswer('admin_token', { token, file })
          : `New admin token (shown once, kept in ${file}): ${token}\n`,
      );
    });
}
