/** `npm run faults`: see README.md. */
import { writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import { endStarted } from './child.ts';
import { OwnConsumer } from './consumer/own-consumer.ts';
import { drillFault } from './drill-fault.ts';
import type { FaultResult } from './drill-fault.ts';
import { FAULTS } from './faults/index.ts';
import { forbiddenLogLines } from './logs.ts';
import { OwnSystem } from './own-system.ts';
import { flatReport, resultTable } from './report.ts';

interface Flags {
  readonly orders: number;
  readonly seed: number;
  readonly json?: string;
  readonly only?: readonly string[];
  readonly keep: boolean;
}

const integer =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`An integer from ${least} to ${most}.`);
  };

const program = new Command('faults')
  .description(
    'Breaks a system of its own in one way after the other while orders are replayed, and audits what is left.',
  )
  .option('--orders <n>', 'orders of each replay', integer(100, 1_000_000), 1_500)
  .option('--seed <n>', 'decides the replay, and when the fault comes', integer(0, 2_147_483_647), 1)
  .option('--json <file>', 'write the result there as flat JSON')
  .addOption(new Option('--only <name...>', 'cause these faults only').choices(FAULTS.map(({ name }) => name)))
  .option('--keep', 'leave the system’s home, with its logs, on the disk', false);

/** Of what the runtime prints: a log need not keep it. */
const HOLDS_A_SECRET = /postgres:\/\/|nats:\/\/|API key {2,}|Bearer /;

const say = (message: string): void => console.log(`${new Date().toISOString().slice(11, 23)}  ${message}`);

/** What has to be ended, in reverse order, also when the drill is interrupted. */
const endings: (() => Promise<void>)[] = [];

async function endAll(): Promise<string[]> {
  const problems: string[] = [];
  for (let end = endings.pop(); end; end = endings.pop()) {
    await end().catch((error: unknown) => problems.push((error as Error).message));
  }
  return problems;
}

async function drill(flags: Flags): Promise<number> {
  const chosen = FAULTS.filter(({ name }) => flags.only?.includes(name) ?? true);
  say('starting a system of its own');
  const system = await OwnSystem.start({
    onLine: (line) => HOLDS_A_SECRET.test(line) || say(`system: ${line}`),
    keep: flags.keep,
  });
  endings.push(() => system.stop());
  if (flags.keep) say(`its home is ${system.home}`);
  const consumer = await OwnConsumer.start(system);
  endings.push(() => consumer.stop());
  const results: FaultResult[] = [];
  for (const fault of chosen) {
    const speak = (message: string): void => say(`${fault.name}: ${message}`);
    const setup = { system, consumer, ...flags, run: randomBytes(4).toString('hex'), say: speak };
    const result = await drillFault(fault, setup);
    results.push(result);
    for (const violation of result.violations) speak(`does not hold: ${violation}`);
    speak(result.violations.length === 0 ? 'PASS' : 'FAIL');
  }
  const violations = [...results.flatMap((one) => one.violations), ...forbiddenLogLines(system.logs)];
  say('stopping');
  violations.push(...(await endAll()));
  console.log(resultTable(results));
  for (const violation of violations) console.error(`does not hold: ${violation}`);
  const faults = results.map(({ fault }) => fault).join(', ');
  console.log(
    violations.length === 0
      ? `PASS: every fault was survived: ${faults}.`
      : `FAIL: ${violations.length} claims do not hold.`,
  );
  const facts = { orders: flags.orders, seed: flags.seed, faults: results.length };
  if (flags.json) writeFileSync(flags.json, `${JSON.stringify(flatReport(results, facts, violations), null, 2)}\n`);
  return violations.length === 0 ? 0 : 1;
}

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    say('interrupted; stopping');
    void endAll()
      .then(endStarted)
      .then(() => process.exit(130));
  });
}

try {
  process.exitCode = await drill(program.parse().opts<Flags>());
} catch (error) {
  if (!interrupted) console.error(error);
  process.exitCode ??= 2;
} finally {
  if (!interrupted) for (const problem of await endAll()) console.error(problem);
}
