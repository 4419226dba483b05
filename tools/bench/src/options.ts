import { join, resolve } from 'node:path';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { WORKLOADS } from './compare/protocol.ts';
import type { CompareGroup } from './compare/protocol.ts';
import { groupOf, keysNamed } from './reporting/keys.ts';
import type { Key } from './reporting/keys.ts';

export interface BenchOptions {
  readonly keys: readonly Key[];
  readonly quick: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly json: string | undefined;
  readonly home: string;
  readonly queues: number | undefined;
  readonly databaseUrl: string | undefined;
  readonly databaseOwnerUrl: string | undefined;
  readonly natsUrl: string | undefined;
}

export interface CompareOptions {
  readonly groups: readonly CompareGroup[];
  /** Any name that git resolves: what was before. */
  readonly revision: string;
  /** What is now; the working tree when undefined. */
  readonly against: string | undefined;
  /** The Node that `revision` runs on; this one when undefined. */
  readonly node: string | undefined;
  /** Paired turns of each workload. */
  readonly roundsOf: Readonly<Record<CompareGroup, number>>;
  readonly seconds: number;
  readonly json: string | undefined;
  readonly home: string;
}

/** `ci` asks whether the results are right and has no time for figures: what fills large tables is left out. */
const ROUNDS = { ci: 1, quick: 2, full: 5 };
const TURN_SECONDS = { ci: 0.9, quick: 2, full: 5, compare: 3 };
const NOT_IN_CI = 'scale';
/** Turns of feeds and of large tables are long, and differ little. */
const COMPARE_ROUNDS: Readonly<Record<CompareGroup, number>> = { reserve: 9, http: 9, feed: 5, scale: 3 };
const COMPARED_UNLESS_NAMED: readonly CompareGroup[] = ['reserve', 'http'];

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a number above 0 is needed');
  return value;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the command line and the environment; commander itself ends the process on `--help` and on a mistake. */
export function parseOptions(args: readonly string[], environment: Environment, root: string): BenchOptions {
  const program = new Command('npm run bench --')
    .description('Measures Onepool against baselines in one interleaved run. See docs/benchmarks.md.')
    .argument(
      '<name...>',
      'all, a group (reserve, http, relay, propagate, scale, feed, orders), a figure or its beginning; ' +
        'ci: all but scale, one short round, for the results alone; ' +
        'compare REV [reserve] [http] [feed] [scale]: CPU an operation against another revision (compare --help)',
    )
    .option('--quick', '2 rounds instead of 5, without the 10-million-row size', false)
    .option('--rounds <n>', 'turns of each contender, for a ratio that differs much between rounds', positive)
    .option('--json <file>', 'write {ratios, absolutes, environment}')
    .addOption(new Option('--seconds <n>', 'length of a turn').argParser(positive).hideHelp())
    .addHelpText(
      'after',
      '\nONEPOOL_HOME, ONEPOOL_COMMIT_QUEUES, DATABASE_URL, DATABASE_OWNER_URL and NATS_URL are honoured.',
    )
    .parse([...args], { from: 'user' });
  const { quick, json, rounds, seconds } = program.opts<{
    quick: boolean;
    json?: string;
    rounds?: number;
    seconds?: number;
  }>();
  const isCi = program.args.join() === 'ci';
  const size = isCi ? 'ci' : quick ? 'quick' : 'full';
  try {
    return {
      keys: isCi ? keysNamed(['all']).filter((key) => groupOf(key) !== NOT_IN_CI) : keysNamed(program.args),
      quick: quick || isCi,
      rounds: Math.ceil(rounds ?? ROUNDS[size]),
      seconds: seconds ?? TURN_SECONDS[size],
      json: json === undefined ? undefined : resolve(json),
      home: homeOf(environment, root),
      queues: environment['ONEPOOL_COMMIT_QUEUES'] ? positive(environment['ONEPOOL_COMMIT_QUEUES']) : undefined,
      databaseUrl: environment['DATABASE_URL'] || undefined,
      databaseOwnerUrl: environment['DATABASE_OWNER_URL'] || undefined,
      natsUrl: environment['NATS_URL'] || undefined,
    };
  } catch (error) {
    return program.error((error as Error).message, { exitCode: 2 });
  }
}

const homeOf = (environment: Environment, root: string): string =>
  resolve(root, environment['ONEPOOL_HOME'] || join(root, '.onepool'));

const sameForAll = (rounds: number): CompareOptions['roundsOf'] => ({
  reserve: rounds,
  http: rounds,
  feed: rounds,
  scale: rounds,
});

/** The options of `compare REV [groups]`; undefined when the command line asks for something else. */
export function parseCompareOptions(
  args: readonly string[],
  environment: Environment,
  root: string,
): CompareOptions | undefined {
  if (args[0] !== 'compare') return undefined;
  const known = Object.keys(WORKLOADS) as CompareGroup[];
  const roundsText = known.map((group) => `${COMPARE_ROUNDS[group]} of ${group}`).join(', ');
  const program = new Command('npm run bench -- compare')
    .description('Compares CPU time an operation with another revision, turn by turn. See tools/bench/README.md.')
    .addArgument(new Argument('<revision>', 'a commit, branch or tag: what was before'))
    .addArgument(
      new Argument('[groups...]', `what to compare; ${COMPARED_UNLESS_NAMED.join(' and ')} unless named`).choices(
        known,
      ),
    )
    .option('--rounds <n>', `paired turns of each workload; ${roundsText} unless told`, positive)
    .option('--seconds <n>', 'length of a turn', positive, TURN_SECONDS.compare)
    .option('--against <revision>', 'what is now, unless it is the working tree')
    .option('--node <path>', 'the Node that the first revision runs on, unless it is this one')
    .option('--json <file>', 'write every figure')
    .parse([...args.slice(1)], { from: 'user' });
  const [revision = '', named = []] = program.processedArgs as [string, (readonly CompareGroup[])?];
  const options = program.opts<{ rounds?: number; seconds: number; against?: string; node?: string; json?: string }>();
  return {
    groups: named.length === 0 ? COMPARED_UNLESS_NAMED : known.filter((group) => named.includes(group)),
    revision,
    against: options.against,
    node: options.node === undefined ? undefined : resolve(options.node),
    roundsOf: options.rounds === undefined ? COMPARE_ROUNDS : sameForAll(Math.ceil(options.rounds)),
    seconds: options.seconds,
    json: options.json === undefined ? undefined : resolve(options.json),
    home: homeOf(environment, root),
  };
}
