import { withClient } from '@onepool/platform-postgres';
import { type CommitName, commitNames } from '@onepool/testing-failpoints';
import { forbiddenLogLines } from '../../logs.ts';
import { type Stage, onStage } from '../stage.ts';
import { endLeases } from './end-leases.ts';
import { PROVOKED } from './provoke.ts';
import { type Expected, TOO_MANY, compareBook, playRound } from './round.ts';

/** A moment of a commit, and at which passing of it a process is killed. */
export interface Kill {
  readonly commit: CommitName;
  readonly moment: 'before_commit' | 'after_commit';
  readonly hit: number;
}

/** Commits that nothing reaches in the time of a trial, each with the reason. */
export const NOT_DRILLED: Partial<Record<CommitName, string>> = {
  'app.receive': 'no app of the system consumes facts',
  'client.mirror_begin': 'no app of the system has a mirror; a simulation of the client kills there',
  'client.mirror_complete': 'no app of the system has a mirror; a simulation of the client kills there',
  'client.mirror_sweep': 'no app of the system has a mirror; a simulation of the client kills there',
  'client.mirror_write': 'no app of the system has a mirror; a simulation of the client kills there',
  'identity.change': 'an operator’s command makes it, and no app',
  'messaging.drop_outbox_day': 'retention begins minutes after a start',
  'messaging.prune_inbox': 'no app of the system consumes facts',
  'stock.feed_fail': 'takes a feed of two gigabytes',
  'stock.feed_abandon': 'uploads that nobody goes on with are given up after a day',
  'stock.feed_decide': 'a feed that waits is decided by a person, and the drill has a service’s key',
  'stock.forget_exceptions': 'retention begins minutes after a start',
  'stock.forget_feeds': 'retention begins minutes after a start',
  'stock.forget_inspections': 'retention begins minutes after a start',
  'stock.forget_commands': 'retention begins minutes after a start',
  'tasks.claim': 'no app of the system has tasks',
  'tasks.end': 'no app of the system has tasks',
  'tasks.put_off': 'no app of the system has tasks',
  'tasks.turn_to_undo': 'no app of the system has tasks',
};

export const drilledCommits: readonly CommitName[] = commitNames.filter((name) => NOT_DRILLED[name] === undefined);

/** Passed once by a process. */
const ONCE: readonly CommitName[] = [
  'identity.note_use',
  'messaging.relay_partitions',
  'messaging.relay_release',
  'postgres.make_partitions',
];
/** Passed by every call, so that any of the first dozens will do. */
const OFTEN: readonly CommitName[] = ['stock.batch', 'stock.optimistic', 'messaging.inbox'];
const GOLDEN = 0.618_034;

/** The passing that a seed chooses: an early one where there are few in a round. */
export function hitOf(commit: CommitName, seed: number): number {
  const most = ONCE.includes(commit) ? 1 : OFTEN.includes(commit) ? 40 : 2;
  return 1 + Math.floor(((seed * GOLDEN) % 1) * most);
}

const failpointOf = ({ commit, moment }: Kill): string => `${commit}.${moment}`;
const ROUNDS = { least: 2, most: 25 };
const STALL_MS = 8_000;

/** Drives a system that kills itself at each of these moments, and tells what does not hold afterwards. */
export async function tryKills(kills: readonly Kill[], say: (message: string) => void): Promise<readonly string[]> {
  const planOf = (chosen: readonly Kill[]): string =>
    chosen.map((kill) => `${failpointOf(kill)}=kill@${kill.hit}`).join(' ');
  const isOfConsumer = ({ commit }: Kill): boolean => commit === 'messaging.inbox';
  const plan = {
    replicas: 1,
    failpoints: planOf(kills.filter((kill) => !isOfConsumer(kill))) || undefined,
    consumerFailpoints: planOf(kills.filter(isOfConsumer)) || null,
    say,
  };
  return onStage(plan, (stage) => drive(stage, kills));
}

async function drive(stage: Stage, kills: readonly Kill[]): Promise<readonly string[]> {
  const { system, shop, consumer, say } = stage;
  // So that a row of a feed can be refused; no trial comes near it otherwise.
  const limit = `ALTER TABLE availability.supply ADD CONSTRAINT drilled CHECK (available < ${TOO_MANY})`;
  await withClient(system.databaseOwnerUrl, (client) => client.query(limit));
  const isKilled = (kill: Kill): boolean => system.wasKilledAt(failpointOf(kill));
  const onWait = async (): Promise<void> => {
    for (const kill of kills) await endLeases(system, failpointOf(kill));
  };
  const commits = new Set(kills.map(({ commit }) => commit));
  const expected: Expected[] = [];
  for (let round = 0; round < ROUNDS.most && (round < ROUNDS.least || !kills.every(isKilled)); round += 1) {
    expected.push(...(await playRound({ system, shop, onWait }, round)));
    for (const commit of commits) await PROVOKED[commit]?.(stage, round);
  }
  const { missing, doubled, foreign, gaps } = await consumer.audit(say, STALL_MS);
  return [
    ...kills.filter((kill) => !isKilled(kill)).map((kill) => `${failpointOf(kill)} was not passed ${kill.hit} times`),
    ...(await compareBook(shop, expected)),
    ...((await shop.isBalanced()) ? [] : ['the ledger does not add up to the balances']),
    ...(missing + doubled + foreign + gaps > 0
      ? [`of the facts ${missing} are missing, ${doubled} doubled, ${foreign} foreign, ${gaps} links of versions lost`]
      : []),
    ...forbiddenLogLines(system.logs),
  ];
}
