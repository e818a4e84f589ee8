/**
 * `ctx hub client approve|grant`: what a client may read (FM-41, FM-44). Only on the hub's own machine: whoever has stolen the
 * admin token must not be able to let himself read.
 */
import type { Command } from 'commander';
import * as z from 'zod';
import { accessSchema, limitsText, type ClientAccess } from '../../core/access';
import { ENTRY_TYPES, isEntryType, isProjectName, type EntryType } from '../../core/entry';
import { HubError } from '../../core/errors';
import { askLocalHub } from '../../core/node/local-hub/local-control';
import { dataDirOf } from '../config';
import { DATA_DIR_FLAG, jsonAnswer, type HubCommandContext } from './context';

interface Flags {
  readonly dataDir?: string;
  readonly json?: boolean;
}

interface GrantFlags extends Flags {
  readonly types?: string;
  readonly origins?: string;
  readonly all?: boolean;
}

const accessAnswer = z.object({ client_id: z.string(), access: accessSchema.optional() });

const listed = (text: string): readonly string[] => text.split(',').map((each) => each.trim());

function typesOf(text: string | undefined): readonly EntryType[] | undefined {
  if (text === undefined) return undefined;
  return listed(text).map((each) => {
    if (isEntryType(each)) return each;
    throw new HubError('usage', `--types takes ${ENTRY_TYPES.join(', ')}, with commas between; not "${each}".`);
  });
}

function originsOf(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined;
  return listed(text).map((each) => {
    if (isProjectName(each)) return each;
    throw new HubError('usage', `--origins takes names of projects, with commas between; not "${each}".`);
  });
}

function readsText(access: ClientAccess): string {
  if (access.pending === true) return 'reads nothing until it is approved (ctx hub client approve)';
  const limits = limitsText(access);
  return `reads ${limits === '' ? 'everything' : limits}`;
}

async function change(
  action: 'client_approve' | 'client_grant',
  parameters: Readonly<Record<string, unknown>>,
  flags: Flags,
  { io }: HubCommandContext,
): Promise<void> {
  const answer = accessAnswer.parse(await askLocalHub(dataDirOf(flags.dataDir, io), action, parameters));
  const { client_id, access = {} } = answer;
  if (flags.json === true) {
    io.stdout(jsonAnswer('client_access', { client_id, access }));
    return;
  }
  const done = action === 'client_approve' ? 'is approved' : 'has these limits from now on';
  io.stdout(`Client ${client_id} ${done}: it ${readsText(access)}. Its open sessions connect anew.\n`);
}

function grant(clientId: string, flags: GrantFlags, context: HubCommandContext): Promise<void> {
  const types = typesOf(flags.types);
  const origins = originsOf(flags.origins);
  if (types === undefined && origins === undefined && flags.all !== true) {
    throw new HubError('usage', 'Say what the client may read: --types, --origins, or --all for everything.');
  }
  const all = flags.all === true ? true : undefined;
  return change('client_grant', { client_id: clientId, types, origins, all }, flags, context);
}

const ON_THIS_MACHINE = '\nOnly on the machine of the hub: the admin token alone does not suffice.\n';
const APPROVE_EXAMPLES = '\nExamples:\n  $ ctx hub client list\n  $ ctx hub client approve 4f1c0d2e9a7b6c53\n';
const GRANT_EXAMPLES = `
What is not named stays as it is; entries of the client's own project are always among the origins. A client that waits for
approval goes on waiting.

Examples:
  $ ctx hub client grant 4f1c0d2e9a7b6c53 --types decision,convention
  $ ctx hub client grant 4f1c0d2e9a7b6c53 --origins backend,platform
  $ ctx hub client grant 4f1c0d2e9a7b6c53 --all
`;

export function addAccessCommands(client: Command, context: HubCommandContext): void {
  client
    .command('approve <id>')
    .description('let a client read that registered with --approve-registrations')
    .option(...DATA_DIR_FLAG)
    .option('--json', 'print one JSON line')
    .addHelpText('after', ON_THIS_MACHINE + APPROVE_EXAMPLES)
    .action((id: string, flags: Flags) => change('client_approve', { client_id: id }, flags, context));
  client
    .command('grant <id>')
    .description('limit what a client may read')
    .option('--types <types>', 'only entries of these types, with commas between')
    .option('--origins <projects>', 'only entries of these projects and its own, with commas between')
    .option('--all', 'without the limits of before')
    .option(...DATA_DIR_FLAG)
    .option('--json', 'print one JSON line')
    .addHelpText('after', ON_THIS_MACHINE + GRANT_EXAMPLES)
    .action((id: string, flags: GrantFlags) => grant(id, flags, context));
}
