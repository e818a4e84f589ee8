/**
 * Drives our consensus core and the oracle with the same random events and compares, after each, every message that is no append, every applied
 * entry, and role, term, vote, leader, commit index and log end of every server. argv: folder of the oracle, first seed, seeds.
 * Closes with `N passed, N failed`.
 */
import type { Message } from '../../hub/raft/message';
import { Random } from '../simulation/random';
import { OurServer } from './our-server';
import type { Server, Setup } from './server';
import { loadOracle, TheirServer } from './their-server';

const EVENTS = 400;

interface Pair {
  readonly ours: OurServer;
  readonly theirs: TheirServer;
}

/**
 * How many appends, snapshots and orders to stand a leader sends and when, which the oracle does as an older version of its model
 * did: no part of what is agreed. Both get those of ours.
 */
const isFlowControl = (text: string): boolean => / Msg(?:App|Snap|TimeoutNow) /.test(text);

/** Who passed a proposal or a wish to hand over on stands elsewhere in the oracle's message. */
function comparable(said: readonly string[]): string {
  const kept = said.filter((each) => !isFlowControl(each));
  return kept
    .map((each) => each.replace(/^\d+(?=->\d+ Msg(?:TransferLeader|Prop) )/, '*'))
    .toSorted()
    .join('\n  ');
}

class Run {
  private readonly random: Random;
  private readonly pairs: readonly Pair[];
  private messages: Message[] = [];
  private proposals = 0;
  readonly trace: string[] = [];
  elections = 0;

  constructor(seed: number, oracle: ReturnType<typeof loadOracle>) {
    const random = new Random(seed);
    this.random = random;
    const voters = Array.from({ length: random.pick([1, 2, 3, 3, 5]) }, (_, at) => at + 1);
    const setup: Setup = {
      ...{ voters, preVote: random.chance(0.5), checkQuorum: random.chance(0.5), electionTicks: 5 },
      ...{ maxInflight: random.pick([1, 2, 8, 64]), oneByOne: random.chance(0.5) },
    };
    this.trace.push(JSON.stringify(setup));
    this.pairs = voters.map((id) => ({
      ours: new OurServer(id, setup),
      theirs: new TheirServer(id, setup, oracle),
    }));
  }

  /** @returns what differs, or undefined */
  play(): string | undefined {
    for (let event = 0; event < EVENTS; event++) {
      const pair = this.random.oneOf(this.pairs);
      if (pair === undefined) break;
      const different = this.happen(pair) ?? this.compare();
      if (different !== undefined) return different;
    }
    return undefined;
  }

  private both(pair: Pair, what: string, act: (server: Server) => void): string | undefined {
    this.trace.push(`${what} ${pair.ours.id}`);
    act(pair.ours);
    act(pair.theirs);
    return this.settle(pair);
  }

  private happen(pair: Pair): string | undefined {
    const dice = this.random.between(1, 100);
    const other = this.random.between(1, this.pairs.length);
    if (dice <= 62) return this.deliver();
    if (dice <= 66) {
      this.messages.splice(this.random.between(0, Math.max(0, this.messages.length - 1)), 1);
      return undefined;
    }
    if (dice <= 78) {
      const text = `p${++this.proposals}`;
      return this.both(pair, 'propose', (server) => server.propose(text));
    }
    if (dice <= 90) return this.both(pair, 'tick', (server) => server.tick());
    if (dice <= 95) {
      this.elections++;
      return this.both(pair, 'campaign', (server) => server.campaign());
    }
    if (dice <= 97) return this.both(pair, `transfer to ${other} at`, (server) => server.transfer(other));
    if (dice <= 99) return this.both(pair, 'restart', (server) => server.restart());
    return this.both(pair, `${other} unreachable for`, (server) => server.unreachable(other));
  }

  /** Any message: the network keeps no order, and gives some of them twice. */
  private deliver(): string | undefined {
    const at = this.random.between(0, this.messages.length - 1);
    const message = this.messages[at];
    const pair = this.pairs.find(({ ours }) => ours.id === message?.to);
    if (message === undefined || pair === undefined) return undefined;
    if (!this.random.chance(0.05)) this.messages.splice(at, 1);
    this.trace.push(`deliver ${JSON.stringify(message)}`);
    pair.ours.step(message);
    pair.theirs.step(message);
    return this.settle(pair);
  }

  /** What both say must be the same, in any order. */
  private settle({ ours, theirs }: Pair): string | undefined {
    const [mine, other] = [ours, theirs].map((server) => comparable(server.settle()));
    this.messages.push(...ours.sent.splice(0));
    return mine === other ? undefined : `server ${ours.id} says\n  ${mine ?? ''}\nthe oracle says\n  ${other ?? ''}`;
  }

  private compare(): string | undefined {
    for (const { ours, theirs } of this.pairs) {
      const [a, b] = [ours.describe(), theirs.describe()];
      if (a !== b) return `server ${ours.id} is ${a}, the oracle's ${b}`;
      const [mine, other] = [ours.committed.length, theirs.committed.length];
      if (mine !== other || ours.committed[mine - 1] !== theirs.committed[other - 1]) {
        return `server ${ours.id} applied ${mine}, the last ${ours.committed[mine - 1] ?? '-'}; the oracle's ${other}, the last ${theirs.committed[other - 1] ?? '-'}`;
      }
    }
    return undefined;
  }

  get applied(): number {
    return this.pairs.reduce((sum, { ours }) => sum + ours.committed.length, 0);
  }
}

export function main([folder = '', first = '1', count = '1000']: readonly string[]): number {
  const oracle = loadOracle(folder);
  let [passed, failed, applied] = [0, 0, 0];
  for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
    const run = new Run(seed, oracle);
    let different: string | undefined;
    try {
      different = run.play();
    } catch (error) {
      different = error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    applied += run.applied;
    if (different === undefined) passed++;
    else if (++failed <= 3) {
      console.log(`seed ${seed}: ${different}\n${[run.trace[0], ...run.trace.slice(1).slice(-25)].join('\n')}\n`);
    }
  }
  console.log(`${applied} entries applied\n\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
