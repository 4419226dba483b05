/**
 * A little of everything at a low, open-loop rate: reads, holds, confirms, releases and movements. Each answer is checked.
 * It shows that a system works from end to end in half a minute; it says little about speed.
 */
import { check } from 'k6';
import exec from 'k6/execution';
import { Counter, Trend } from 'k6/metrics';
import type { Options } from 'k6/options';
import { type Call, type Request, call } from './client/call.ts';
import { writeLine } from './client/history.ts';
import { readRunFile, readTarget } from './client/settings.ts';

interface Smoke {
  readonly prefix: string;
  readonly skus: readonly string[];
  readonly nodes: readonly string[];
  readonly channel: string;
  readonly seed: number;
  readonly arrivalsPerSecond: number;
  readonly durationSeconds: number;
}
interface Line {
  readonly granted: number;
}
interface Answer {
  readonly status?: string;
  readonly lines?: readonly Line[];
  readonly items?: readonly unknown[];
  readonly rows?: readonly unknown[];
  readonly atp?: number;
  readonly skus?: readonly unknown[];
}

const target = readTarget();
const smoke = readRunFile('smoke.json') as Smoke;
const budgets = JSON.parse(open('./budgets.json')) as { smoke: { thresholds: Record<string, string[]> } };

const unexpected = new Counter('unexpected_answers');
const durations = Object.fromEntries(
  ['read', 'hold', 'confirm', 'release', 'movement'].map((name) => [name, new Trend(`${name}_ms`, true)]),
);

export const options: Options = {
  scenarios: {
    shoppers: {
      executor: 'constant-arrival-rate',
      rate: smoke.arrivalsPerSecond,
      timeUnit: '1s',
      duration: `${smoke.durationSeconds}s`,
      preAllocatedVUs: 20,
      maxVUs: 100,
      gracefulStop: '30s',
    },
  },
  thresholds: budgets.smoke.thresholds,
  summaryTrendStats: ['count', 'p(50)', 'p(99)', 'max'],
};

/** Sends a call, measures it, and checks that it is answered with `status` and as `isRight` says. */
function expectAnswer(request: Request, status: number, isRight: (answer: Answer) => boolean): Answer | undefined {
  const made: Call = call(target, request);
  durations[request.operation]?.add(made.untilMs - made.fromMs);
  const last = made.statuses[made.statuses.length - 1];
  const answer = (made.body ?? undefined) as Answer | undefined;
  if (last !== status) {
    unexpected.add(1);
    const { statuses, codes } = made;
    writeLine({ method: request.method, path: request.path, statuses, codes });
  }
  const right = last === status && answer !== undefined && isRight(answer);
  check(right, { [`${request.operation} is answered rightly`]: (value) => value });
  return right ? answer : undefined;
}

function read(turn: number, sku: string): void {
  const { channel, skus } = smoke;
  const get = (path: string): Request => ({ method: 'GET', path, operation: 'read', turn });
  expectAnswer(get(`/v1/atp/${sku}?channel=${channel}`), 200, ({ atp }) => atp !== undefined && atp >= 0);
  const many: Request = { method: 'POST', path: '/v1/atp/query', body: { channel, skus }, operation: 'read', turn };
  expectAnswer(many, 200, ({ items }) => items?.length === skus.length);
  expectAnswer(get(`/v1/stock/${sku}`), 200, ({ rows }) => (rows?.length ?? 0) > 0);
}

function shop(turn: number, sku: string, verb: 'confirm' | 'release'): void {
  const id = `${smoke.prefix}b${turn}`;
  const body = { id, channel: smoke.channel, lines: [{ sku, quantity: 1 }], expiresInSeconds: 600 };
  const hold: Request = { method: 'POST', path: '/v1/reservations', body, operation: 'hold', turn };
  const isGranted = ({ status, lines }: Answer): boolean => status === 'held' && lines?.[0]?.granted === 1;
  if (!expectAnswer(hold, 201, isGranted)) return;
  const path = `/v1/reservations/${id}`;
  const read: Request = { method: 'GET', path, operation: 'read', turn: turn + 1 };
  expectAnswer(read, 200, isGranted);
  const command = { commandId: `${id}-${verb}` };
  const step: Request = { method: 'POST', path: `${path}/${verb}`, body: command, operation: verb, turn };
  const wanted = verb === 'confirm' ? 'confirmed' : 'closed';
  expectAnswer(step, 200, ({ status }) => status === wanted);
}

function move(turn: number, sku: string): void {
  const node = smoke.nodes[turn % smoke.nodes.length];
  const type = turn % 2 === 0 ? 'sale' : 'receipt';
  const body = { id: `${smoke.prefix}m${turn}`, source: 'pos', movements: [{ type, sku, node, quantity: 1 }] };
  const request: Request = { method: 'POST', path: '/v1/movements', body, operation: 'movement', turn };
  expectAnswer(request, 201, ({ skus }) => skus?.length === 1);
}

export default function visit(): void {
  const turn = exec.scenario.iterationInTest;
  const sku = smoke.skus[(turn * 7 + smoke.seed) % smoke.skus.length] ?? '';
  const kind = (turn + smoke.seed) % 10;
  if (kind < 4) read(turn, sku);
  else if (kind < 7) shop(turn, sku, 'confirm');
  else if (kind < 9) shop(turn, sku, 'release');
  else move(turn, sku);
}

export function handleSummary(data: unknown): Record<string, string> {
  return { [`${__ENV['RUN']}/summary.json`]: JSON.stringify(data) };
}
