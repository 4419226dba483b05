/**
 * A flash sale: each buyer asks for one unit of one SKU, and does with a grant what the plan says, while counters sell
 * the same SKU. Arrivals are open-loop: buyers come when the plan says, whether the system keeps up or not. Every call is
 * written to the history as one line of JSON, by which `npm run load` audits the system afterwards.
 */
import { sleep } from 'k6';
import { SharedArray } from 'k6/data';
import exec from 'k6/execution';
import { Counter } from 'k6/metrics';
import type { Options } from 'k6/options';
import { type Call, call } from './client/call.ts';
import { writeLine } from './client/history.ts';
import { readRunFile, readTarget } from './client/settings.ts';

/** What `npm run load` decided before anything is sent. */
interface Sale {
  readonly sku: string;
  readonly expiresInSeconds: number;
  readonly durationSeconds: number;
  readonly stages: readonly { readonly target: number; readonly duration: string }[];
  readonly buyersAtOnceMax: number;
}
interface Buyer {
  readonly id: string;
  readonly channel: string;
  readonly fate: 'confirm' | 'release' | 'abandon';
  readonly patienceMs?: number;
  readonly thinkSeconds: number;
}
interface CounterSale {
  readonly id: string;
  readonly node: string;
  readonly quantity: number;
  readonly patienceMs?: number;
}

const target = readTarget();
const sale = readRunFile('sale.json') as Sale;
const buyers = new SharedArray('buyers', () => readRunFile('buyers.json') as Buyer[]);
const counterSales = new SharedArray('counter sales', () => readRunFile('counter-sales.json') as CounterSale[]);

/** By which the reader of the history knows that it is whole. */
const callsRecorded = new Counter('calls_recorded');

const GRACE = '60s';

/** None in a wave of those who could not come in time. */
function counters(): NonNullable<Options['scenarios']> {
  if (counterSales.length === 0) return {};
  return {
    counters: {
      executor: 'constant-arrival-rate',
      exec: 'sellAtCounter',
      rate: counterSales.length,
      timeUnit: `${sale.durationSeconds}s`,
      duration: `${sale.durationSeconds}s`,
      preAllocatedVUs: 5,
      maxVUs: 50,
      gracefulStop: GRACE,
    },
  };
}

export const options: Options = {
  scenarios: {
    buyers: {
      executor: 'ramping-arrival-rate',
      exec: 'buy',
      startRate: 0,
      timeUnit: '1s',
      stages: sale.stages.map(({ target, duration }) => ({ target, duration })),
      preAllocatedVUs: Math.min(300, sale.buyersAtOnceMax),
      maxVUs: sale.buyersAtOnceMax,
      gracefulStop: GRACE,
    },
    ...counters(),
  },
  setupTimeout: '10s',
  summaryTrendStats: ['count', 'p(50)', 'p(99)', 'max'],
};

function record(kind: string, id: string, made: Call): void {
  writeLine({ kind, id, ...made });
  callsRecorded.add(1);
}

export function buy(): void {
  const turn = exec.scenario.iterationInTest;
  const buyer = buyers[turn];
  // The schedule has arrivals to spare, in case the generator has to drop some.
  if (buyer === undefined) return;
  const { id, channel, fate, patienceMs } = buyer;
  const lines = [{ sku: sale.sku, quantity: 1 }];
  const body = { id, channel, lines, expiresInSeconds: sale.expiresInSeconds };
  const held = call(target, {
    method: 'POST',
    path: '/v1/reservations',
    body,
    operation: 'hold',
    turn,
    ...(patienceMs === undefined ? {} : { patienceMs }),
  });
  record('hold', id, held);
  if (held.body === null || fate === 'abandon') return;
  sleep(buyer.thinkSeconds);
  const path = `/v1/reservations/${id}/${fate}`;
  const command = { commandId: `${id}-${fate}` };
  record(fate, id, call(target, { method: 'POST', path, body: command, operation: fate, turn: turn + 1 }));
}

export function sellAtCounter(): void {
  const turn = exec.scenario.iterationInTest;
  const sold = counterSales[turn];
  if (sold === undefined) return;
  const { id, node, quantity, patienceMs } = sold;
  const body = { id, source: 'pos', movements: [{ type: 'sale', sku: sale.sku, node, quantity }] };
  const request = { method: 'POST', path: '/v1/movements', body, operation: 'movement', turn } as const;
  record('sale', id, call(target, patienceMs === undefined ? request : { ...request, patienceMs }));
}

export function handleSummary(data: unknown): Record<string, string> {
  return { [`${__ENV['RUN']}/summary.json`]: JSON.stringify(data) };
}
