/** `ctx hub repair`: moves damage out of a stopped hub's log, or makes meta.json anew; says what was lost. */
import type { Command } from 'commander';
import { HubError } from '../../core/errors';
import { showProgress } from '../../core/node/progress';
import { dataDirOf } from '../config';
import { dataFiles, type DataFiles } from '../store/data-directory';
import { refuseNode } from '../engine/raft/lost-node';
import { nodeDisk } from '../store/node-disk';
import { applyRepair, planRepair, type RepairOptions, type RepairPlan } from '../store/repair';
import type { BadRegion } from '../store/survey-log';
import { DATA_DIR_FLAG, jsonAnswer, type HubCommandContext } from './context';
import { asIoError, count, withLock } from './offline';

interface Flags {
  readonly dataDir?: string;
  readonly quarantine?: boolean;
  readonly acceptGap?: boolean;
  readonly rebuildMeta?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const sequences = (first: number, last: number): string =>
  first === last ? `sequence ${first}` : `sequences ${first} to ${last}`;

function regionText(region: BadRegion): string {
  const { lineNumber, offset, length, lines, reason, lost, nextIsProven } = region;
  const what =
    length === 0
      ? `before line ${lineNumber} at byte ${offset} lines are missing`
      : `line ${lineNumber} at byte ${offset}, ${count(lines, 'line')}, ${count(length, 'byte')} (${reason})`;
  const gone = lost === undefined ? 'nothing is lost' : `${sequences(lost.first, lost.last)} lost`;
  const doubt = nextIsProven ? '' : '; the line after it is kept on its own word, nothing before it can prove it';
  return `${what}: ${gone}${doubt}`;
}

function planText(files: DataFiles, plan: RepairPlan, done: boolean): string {
  const { moved, gaps, meta } = plan;
  const nothing = moved.length === 0 && gaps.length === 0 && !plan.changesMeta;
  if (nothing) return `${files.folder}: nothing to repair.\n`;
  const lines = moved.map((region) => `  ${regionText(region)}\n`);
  const end = gaps.filter((gap) => !moved.some((region) => region.lost?.first === gap.first));
  lines.push(...end.map((gap) => `  at the end of the log: ${sequences(gap.first, gap.last)} lost\n`));
  const verb = done ? '' : 'would be ';
  const bytes = moved.reduce((sum, region) => sum + region.length, 0);
  if (bytes > 0) lines.push(`${count(bytes, 'byte')} ${verb}moved to ${files.quarantine}\n`);
  if (gaps.length > 0) lines.push(`${count(gaps.length, 'gap')} ${verb}recorded in ${files.meta}\n`);
  const { sequence, length } = meta.watermark;
  if (plan.changesMeta)
    lines.push(`${files.meta} ${verb}written: the log ends at sequence ${sequence}, byte ${length}\n`);
  return lines.join('');
}

function asJson(plan: RepairPlan, dryRun: boolean): string {
  return jsonAnswer('hub_repair', {
    dry_run: dryRun,
    hub_id: plan.hubId,
    moved: plan.moved
      .filter((region) => region.length > 0)
      .map(({ offset, length, lineNumber, lines, reason, lost }) => ({
        ...{ offset, length, line: lineNumber, lines, reason, lost },
      })),
    gaps: plan.gaps.map(({ first, last }) => ({ first, last })),
    meta_written: plan.changesMeta,
  });
}

async function repair(flags: Flags, context: HubCommandContext): Promise<void> {
  const { io } = context;
  const modes = {
    quarantine: flags.quarantine === true,
    acceptGap: flags.acceptGap === true,
    rebuildMeta: flags.rebuildMeta === true,
  };
  const dryRun = flags.dryRun === true;
  if (!modes.quarantine && !modes.acceptGap && !modes.rebuildMeta) {
    throw new HubError(
      'usage',
      'Say what to do: --quarantine, --accept-gap or --rebuild-meta (with --dry-run to see it first).',
    );
  }
  const dataDir = dataDirOf(flags.dataDir, io);
  await withLock(dataDir, async () => {
    const files = dataFiles(dataDir);
    const progress = showProgress(io, 'Reading the log');
    const options: RepairOptions = { ...modes, disk: nodeDisk, files, now: new Date(), onProgress: progress.update };
    try {
      if (!dryRun) await refuseNode(nodeDisk, dataDir, REPLACE_NODE);
      const plan = await planRepair(options);
      if (!dryRun) await applyRepair(options, plan);
      progress.end();
      io.stdout(flags.json === true ? asJson(plan, dryRun) : planText(files, plan, !dryRun));
      io.stderr(
        dryRun ? 'Nothing was changed (--dry-run).\n' : `Now start the hub: ctx hub start --data-dir ${dataDir}\n`,
      );
    } catch (error) {
      progress.end();
      throw asIoError(error, `${dataDir} is not repaired; nothing is lost, and the same command finishes it`);
    }
  });
}

/** All nodes hold the same bytes: what is taken out of one is another history. */
const REPLACE_NODE =
  'Its log must stay the same as on the others. Let it be replaced: remove it (ctx hub peer remove), empty its data directory, ' +
  'and add it again (ctx hub peer add). What no other node holds goes into a new hub: ctx hub import <its entries.jsonl>';

const EXAMPLES = `
Examples:
  $ ctx hub repair --quarantine --dry-run   what would be moved, and which sequences are lost
  $ ctx hub repair --quarantine             moves bad lines to entries.jsonl.quarantine
  $ ctx hub repair --accept-gap             bad lines were moved out by hand
  $ ctx hub repair --rebuild-meta           makes meta.json anew from entries.jsonl and hub.id
`;

export function addRepairCommand(hub: Command, context: HubCommandContext): void {
  hub
    .command('repair')
    .description('repair the data of a stopped hub; says what was lost')
    .option(...DATA_DIR_FLAG)
    .option('--quarantine', 'move bad lines to entries.jsonl.quarantine and record the gap')
    .option('--accept-gap', 'record that entries are missing')
    .option('--rebuild-meta', 'make meta.json anew from entries.jsonl and hub.id')
    .option('--dry-run', 'only say what would be done')
    .option('--json', 'print one JSON line')
    .addHelpText('after', EXAMPLES)
    .action((flags: Flags) => repair(flags, context));
}
