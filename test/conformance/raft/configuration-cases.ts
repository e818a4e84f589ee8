/** Cases of the `confchange` folder: one configuration, changed command by command. */
import {
  allMembers,
  changeOne,
  ConfigurationError,
  EMPTY_CONFIGURATION,
  enterJoint,
  leaveJoint,
  type Configuration,
  type MembershipChange,
} from '../../../hub/raft/configuration';
import { valueOf, type Case } from './data-driven';
import { describeConfiguration } from './describe';

const KINDS: Readonly<Record<string, MembershipChange['kind']>> = {
  v: 'add-voter',
  l: 'add-learner',
  r: 'remove',
  u: 'update',
};

export function parseChanges(text: string): MembershipChange[] {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => {
      const kind = KINDS[word.charAt(0)];
      if (kind === undefined) throw new Error(`unknown change ${word}`);
      return { kind, node: Number(word.slice(1)) };
    });
}

/** Runs the cases of one file in order; each command counts as one log index. */
export function configurationRunner(): (one: Case) => string[] {
  let configuration: Configuration = EMPTY_CONFIGURATION;
  let nextOf = new Map<number, number>();
  let lastIndex = 0;
  return (one) => {
    try {
      configuration = change(configuration, one);
    } catch (error) {
      if (error instanceof ConfigurationError) return [error.message];
      throw error;
    } finally {
      const known = nextOf;
      const begin = Math.max(lastIndex, 1);
      nextOf = new Map(allMembers(configuration).map((id) => [id, known.get(id) ?? begin]));
      lastIndex += 1;
    }
    return [describeConfiguration(configuration), ...[...nextOf].map(([id, next]) => line(configuration, id, next))];
  };
}

function line({ learners }: Configuration, id: number, next: number): string {
  return `${id}: StateProbe match=0 next=${next}${learners.includes(id) ? ' learner' : ''}`;
}

function change(configuration: Configuration, { command, input }: Case): Configuration {
  const changes = parseChanges(input.join(' '));
  switch (command.name) {
    case 'simple':
      return changeOne(configuration, changes);
    case 'enter-joint':
      return enterJoint(configuration, changes, valueOf(command, 'autoleave') === 'true');
    case 'leave-joint':
      return leaveJoint(configuration);
    default:
      throw new Error(`unknown command ${command.name}`);
  }
}
