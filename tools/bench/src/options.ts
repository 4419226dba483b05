import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { keysNamed } from './reporting/keys.ts';
import type { Key } from './reporting/keys.ts';

export interface BenchOptions {
  readonly keys: readonly Key[];
  readonly quick: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly json: string | undefined;
  readonly home: string;
  readonly lanes: number | undefined;
  readonly databaseUrl: string | undefined;
  readonly natsUrl: string | undefined;
}

const ROUNDS = { quick: 2, full: 5 };
const TURN_SECONDS = { quick: 2, full: 5 };

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
    .argument('<name...>', 'all, a group (reserve, http, relay, propagate, scale, feed), a figure or its beginning')
    .option('--quick', '2 rounds instead of 5, without the 10-million-row size', false)
    .option('--json <file>', 'write {ratios, absolutes, environment}')
    .addOption(new Option('--seconds <n>', 'length of a turn').argParser(positive).hideHelp())
    .addHelpText('after', '\nONEPOOL_HOME, ONEPOOL_LANES, DATABASE_URL and NATS_URL are honoured.')
    .parse([...args], { from: 'user' });
  const { quick, json, seconds } = program.opts<{ quick: boolean; json?: string; seconds?: number }>();
  const size = quick ? 'quick' : 'full';
  try {
    return {
      keys: keysNamed(program.args),
      quick,
      rounds: ROUNDS[size],
      seconds: seconds ?? TURN_SECONDS[size],
      json: json === undefined ? undefined : resolve(json),
      home: resolve(root, environment['ONEPOOL_HOME'] || join(root, '.onepool')),
      lanes: environment['ONEPOOL_LANES'] ? positive(environment['ONEPOOL_LANES']) : undefined,
      databaseUrl: environment['DATABASE_URL'] || undefined,
      natsUrl: environment['NATS_URL'] || undefined,
    };
  } catch (error) {
    return program.error((error as Error).message, { exitCode: 2 });
  }
}
