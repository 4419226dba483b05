import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { partsFor } from './parts.ts';
import type { Part } from './parts.ts';

export interface VerifyOptions {
  readonly parts: readonly Part[];
  readonly minutes: number;
  /** The first turn's; each further turn takes the next one. */
  readonly seed: number;
}

const MINUTES_MAX = 40;
const SEEDS = 1_000_000;
const PUBLISHED = 'orders/uci_online_retail/online_retail.dev.csv.gz';
const EXCERPT = 'docs/examples/online-retail-excerpt.csv';

function integer(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('a whole number is needed');
  return value;
}

/** `ONEPOOL_DATA` names the folder of public data; without it the excerpt is replayed. */
function traceIn(environment: Readonly<Record<string, string | undefined>>, root: string): string {
  const published = resolve(root, environment['ONEPOOL_DATA'] || '../shared/data', PUBLISHED);
  return existsSync(published) ? published : join(root, EXCERPT);
}

/** Reads the command line; commander itself ends the process on `--help` and on a mistake. */
export function parseOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  root: string,
): VerifyOptions {
  const known = partsFor(traceIn(environment, root));
  const program = new Command('npm run verify --')
    .description(
      'Tries a part of the product for as long as it takes to trust it; without a name, a sample of all parts.\n\n' +
        known.map(({ name, what }) => `  ${name.padEnd(8)}${what}`).join('\n'),
    )
    .addArgument(new Argument('[name...]', 'the parts').choices(known.map(({ name }) => name)))
    .option('--minutes <n>', 'how long, on a quiet machine with two cores', integer, MINUTES_MAX)
    .option('--seed <n>', 'begin with this seed instead of another one each time', integer)
    .parse([...args], { from: 'user' });
  const { minutes, seed } = program.opts<{ minutes: number; seed?: number }>();
  const names = program.args;
  return {
    parts: names.length === 0 ? known : known.filter(({ name }) => names.includes(name)),
    minutes,
    seed: seed ?? Math.floor(Math.random() * SEEDS),
  };
}
