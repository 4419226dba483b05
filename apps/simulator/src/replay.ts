/** `npm run replay`: a published trace of orders against the running system, then an audit. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { type FoundSystem, SystemNotFound, crash, findSystem, pidOf } from '@onepool/platform-local-servers';
import { showProgress } from '@onepool/platform-progress';
import {
  ApiClient,
  CONTRACT_LIMITS,
  JetStreamFacts,
  type ReplayOutcome,
  SystemUnavailable,
  TraceUnreadable,
  awaitReady,
  readTrace,
  runReplay,
} from '@onepool/simulator-data-access';
import { type Invoice, firstOrders, orderLine, planReplay, unitLines, verdictOf } from '@onepool/simulator-domain';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { outageLines } from './outage-lines.ts';
import { summaryTable } from './summary-table.ts';

interface Flags {
  readonly trace: string;
  readonly orders?: number;
  readonly nodes: number;
  readonly speed: number | 'max';
  readonly seed: number;
  readonly json?: string;
  readonly run?: string;
  readonly url?: string[];
  readonly natsUrl?: string;
  readonly keyFile?: string;
  readonly concurrency: number;
  readonly posShare: number;
  readonly partialShare: number;
  readonly confirmShare: number;
  readonly retrySeconds: number;
  readonly kill?: string;
}

const ATTEMPT_TIMEOUT_MS = 10_000;
const STALL_MS = 30_000;
const POLL_MS = 200;
const FINDINGS_SHOWN_MAX = 20;
/** Told by their message alone: the person can act on it. */
const KNOWN = [SystemNotFound, SystemUnavailable, TraceUnreadable];

const integer =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most && text.trim() !== '') return value;
    throw new InvalidArgumentError(`An integer from ${least} to ${most}.`);
  };
const share = (text: string): number => {
  const value = Number(text);
  if (value >= 0 && value <= 1 && text.trim() !== '') return value;
  throw new InvalidArgumentError('A share from 0 to 1.');
};
const speed = (text: string): number | 'max' => {
  if (text === 'max') return 'max';
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('`max`, or how many times faster than the trace’s own clock.');
};
const runId = (text: string): string => {
  if (/^[a-z0-9]{1,12}$/.test(text)) return text;
  throw new InvalidArgumentError('One to twelve lower-case letters or digits.');
};
const anyOf = (text: string, before: string[] | undefined): string[] => [...(before ?? []), text];

const program = new Command('replay')
  .description('Replays orders of UCI Online Retail against the running system and audits what it answered.')
  .requiredOption('--trace <file>', 'CSV as published, gzip or plain')
  .option('--orders <n>', 'only the first N orders, with the returns among them', integer(1, 10_000_000))
  .option('--nodes <n>', 'stores and warehouses to spread the stock over', integer(1, 100), 10)
  .option('--speed <speed>', '`max`, or how many times faster than the trace’s own clock', speed, 'max')
  .option('--seed <n>', 'decides everything that the trace does not', integer(0, 2_147_483_647), 1)
  .option('--json <file>', 'write the result there as flat JSON')
  .option('--run <id>', 'name of the run; ids begin with r<id>- (default: random)', runId)
  .option('--url <url>', 'availability API; repeat for several replicas (default: what `npm start` runs)', anyOf)
  .option('--nats-url <url>', 'NATS server of the facts (default: NATS_URL, or what `npm start` runs)')
  .option('--key-file <file>', 'API key (default: ONEPOOL_API_KEY, or that of `npm start`)')
  .option('--concurrency <n>', 'calls under way at a time', integer(1, 1_024), 64)
  .addOption(new Option('--pos-share <share>', 'orders sold at a counter').argParser(share).default(0.1))
  .addOption(
    new Option('--partial-share <share>', 'reservations that take what there is').argParser(share).default(0.1),
  )
  .addOption(new Option('--confirm-share <share>', 'grants that are confirmed').argParser(share).default(0.7))
  .option('--retry-seconds <n>', 'how long to wait for the system, and for the answer to a call', integer(1, 3_600), 60)
  .option(
    '--kill <process>',
    'kill -9 this process of `npm start` when a tenth is done: postgres, nats, availability-1',
  )
  .exitOverride();

const replay = async (flags: Flags): Promise<ReplayOutcome> => {
  const invoices = await readOrders(flags);
  const plan = planReplay(invoices, { ...flags, run: flags.run ?? randomBytes(4).toString('hex') }, CONTRACT_LIMITS);
  const find = (): FoundSystem => findSystem({ ...flags, urls: flags.url }, process.env);
  const { urls, key, natsUrl, record } = find();
  if (flags.kill !== undefined) pidOf(record, flags.kill);

  const retryForMs = flags.retrySeconds * 1_000;
  await awaitReady(urls, { patienceMs: retryForMs, say: (line) => console.log(line) });
  const facts = await JetStreamFacts.connect(natsUrl);
  const progress = showProgress('replay', 'operations');
  const client = new ApiClient({
    urls,
    key,
    connections: flags.concurrency,
    retryForMs,
    attemptTimeoutMs: ATTEMPT_TIMEOUT_MS,
    onOutage: () => progress.note('calls fail; they are repeated, with the same ids, until they are answered'),
  });
  const kill = (name: string): void => progress.note(`${name} (process ${crash(find().record, name)}) is killed`);
  try {
    return await runReplay(plan, client, facts, {
      concurrency: flags.concurrency,
      speed: flags.speed,
      quiescence: { stallMs: STALL_MS, pollMs: POLL_MS },
      progress,
      onPhase: (phase) => console.log(`${phase} …`),
      interrupt: () => flags.kill !== undefined && kill(flags.kill),
    });
  } finally {
    await client.close();
  }
};

const readOrders = async ({ trace: file, orders }: Flags): Promise<readonly Invoice[]> => {
  const trace = await readTrace(file);
  for (const { line, reason } of trace.malformed) console.error(`${file}:${line}: ${reason}`);
  const dropped = Object.entries(trace.dropped).map(([reason, count]) => `, ${count} dropped: ${reason}`);
  console.log(`trace: ${trace.rows} lines, ${trace.malformedCount} malformed${dropped.join('')}`);
  return orders === undefined ? trace.invoices : firstOrders(trace.invoices, orders);
};

const show = ({ summary, findings, unexpected, units, outages, failures }: ReplayOutcome): void => {
  console.log(summaryTable(summary));
  for (const line of [orderLine(summary), '', ...unitLines(units), '', ...outageLines(outages)]) console.log(line);
  for (const { check, subject, detail } of findings.slice(0, FINDINGS_SHOWN_MAX))
    console.error(`${check}: ${subject}: ${detail}`);
  if (findings.length > FINDINGS_SHOWN_MAX) console.error(`… and ${findings.length - FINDINGS_SHOWN_MAX} more`);
  for (const line of unexpected) console.error(`unexpected answer: ${line}`);
  console.log(verdictOf(summary, failures));
};

/** 0 passes, 1 does not, 2 could not be done: wrong flags, no trace, or no system. */
const main = async (): Promise<number> => {
  try {
    const flags = program.parse().opts<Flags>();
    const outcome = await replay(flags);
    show(outcome);
    if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(outcome.summary, null, 2)}\n`);
    return outcome.failures.length === 0 ? 0 : 1;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const known = KNOWN.some((kind) => error instanceof kind);
    console.error(known ? (error as Error).message : error);
    return 2;
  }
};

process.exitCode = await main();
