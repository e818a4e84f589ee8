/** What the differential run needs of a server, ours or the oracle's. Both take our messages. */
import type { Message } from '../../hub/raft/message';

export interface Setup {
  readonly voters: readonly number[];
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly electionTicks: number;
  readonly maxInflight: number;
  /** One entry in each append. */
  readonly oneByOne: boolean;
}

export interface Server {
  readonly id: number;
  /** Everything applied since the beginning, restarts included. */
  readonly committed: readonly string[];
  readonly restart: () => void;
  readonly campaign: () => void;
  readonly tick: () => void;
  readonly propose: (text: string) => void;
  readonly transfer: (target: number) => void;
  readonly unreachable: (id: number) => void;
  readonly step: (message: Message) => void;
  /** Does all that is due, as if the disk were instant. @returns what it sends, in words that are the same for both */
  readonly settle: () => readonly string[];
  /** Role, term, vote, leader, commit and end of the log. */
  readonly describe: () => string;
}
