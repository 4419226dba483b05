/** Steps of a history in which units are announced, sent, received and looked at. */
import assert from 'node:assert/strict';
import { decideExpect } from '../../decide-expect.ts';
import { seenBy } from '../../counted-states.ts';
import { decideInspection } from '../../decide-inspection.ts';
import { decideReceive } from '../../decide-receive.ts';
import { decideShip } from '../../decide-ship.ts';
import { inWaitOrder } from '../../free-units.ts';
import type { VerbEffect } from '../../decide-verb.ts';
import type { SupplyEffect } from '../../supply.ts';
import { NOW } from '../arbitraries.ts';
import { inTransit } from './coming.ts';
import { pinnedConfirmed } from './picks.ts';
import { type PlayedPool, UNJUDGED } from './played-pool.ts';
import type { Coming, State } from './pool.ts';
import * as receiving from './receiving.ts';
import { tend } from './own-steps.ts';

/** Where, of what, and for how many milliseconds from now it is to come; null: nobody says. */
export interface Announced {
  readonly sku: number;
  readonly node: number;
  readonly dueIn: number | null;
}

const dueAtOf = (pool: PlayedPool, dueIn: number | null): number | null => (dueIn === null ? null : pool.now + dueIn);

/** One of the lines that are still open. */
function pickLine(pool: PlayedPool, pick: number | null, brings?: Coming['brings']): Coming | null {
  const open = [...pool.model.lines.values()].filter((one) => !one.isClosed && (brings ?? one.brings) === one.brings);
  return pick === null ? null : (open[pick % Math.max(1, open.length)] ?? null);
}

const NOTHING = { sound: 0, damaged: 0, inspected: 0, expected: 0, received: 0, lost: 0 };

function newLine(pool: PlayedPool, { sku, node, dueIn }: Announced, from: number | null): Coming {
  const detail = ++pool.lastLine;
  const brings = from === null ? 'receipt' : 'transfer';
  return { detail, sku, node, brings, from, dueAt: dueAtOf(pool, dueIn), isClosed: false, ...NOTHING };
}

/** As it is told: since the history began. */
const sinceBegin = (time: number | null): number | null => time && time - NOW;

function take(pool: PlayedPool, effects: readonly VerbEffect[], effect: SupplyEffect): void {
  for (const one of effects) pool.accept(one);
  pool.apply(effect);
}

/** A receipt is announced, or one that is known is to bring something else, or nothing any more. */
export function announce(
  pool: PlayedPool,
  pick: number | null,
  announced: Announced,
  quantity: number,
  isClosed: boolean,
): void {
  const known = pickLine(pool, pick, 'receipt');
  const line = { ...(known ?? newLine(pool, announced, null)), dueAt: dueAtOf(pool, announced.dueIn), isClosed };
  const { detail, sku, node, dueAt, received } = line;
  pool.reap(new Set([sku]));
  receiving.expect(pool.model, line, quantity);
  pool.apply(decideExpect(sku, line, quantity, pool.supplies));
  pool.serve();
  const told = { line: detail, sku, node, dueAt: sinceBegin(dueAt), received, units: quantity, isClosed };
  pool.told({ kind: 'announce', ...told }, 'done');
}

export interface Arriving {
  readonly units: number;
  readonly damaged: number | null;
  readonly toInspection: boolean;
  readonly closes: boolean;
}

/** Units arrive, of a line or without anybody having announced them. */
export function receive(pool: PlayedPool, pick: number | null, unannounced: Announced, arriving: Arriving): void {
  const line = pickLine(pool, pick);
  const { sku, node } = line ?? unannounced;
  pool.reap(new Set([sku]));
  const { units, toInspection } = arriving;
  const damaged = arriving.damaged === null ? null : Math.min(units, arriving.damaged);
  const closes = line !== null && (arriving.closes || units >= inTransit(line));
  const told = { sku, node, units, damaged, closes };
  const { total, states: counted } = seenBy(pool.watermarks, sku, node, pool.model.at);
  const expected = receiving.receive(pool.model, { ...told, line, toInspection });
  const { effects, effect, over, lost, landed, toInspect, freeing } = decideReceive(
    {
      ...{ ...told, isLate: total !== null, counted, line: line?.detail ?? null },
      to: toInspection ? 'quality_control' : 'available',
    },
    { riders: [...pool.reservations.values()].sort(inWaitOrder), waiting: pool.waiting() },
    pool.supplies,
    pool.terms(false),
  );
  assert.deepEqual({ over, lost, landed, toInspect, served: freeing.converted }, expected);
  take(pool, effects, effect);
  if (toInspect > 0) pool.inspections.push({ sku, node, open: toInspect, ...UNJUDGED });
  pool.served();
  const by = line && { detail: line.detail, brings: line.brings };
  pool.told({ kind: 'receive', ...told, line: by, toInspection, closes: arriving.closes, expected }, 'done');
}

export interface Leaving {
  readonly sku: number;
  readonly from: number;
  readonly units: number;
  readonly state: State | null;
}

const STATE_NAMES = { available: 'available', damaged: 'damaged', inspected: 'quality_control' } as const;

/** Units are sent to another node; of a fulfilment that is picked, some ride. */
export function ship(
  pool: PlayedPool,
  pick: number | null,
  leaving: Leaving,
  to: Announced,
  rides: number | null,
): void {
  // Who rides waits.
  const mine = rides === null || !pool.options.moves ? undefined : pool.lock(rides, pinnedConfirmed);
  const riding = mine?.backings.find((one) => pinnedConfirmed(one) > 0);
  const known = pickLine(pool, pick, 'transfer');
  const { sku, node: from } = riding ?? { sku: known?.sku ?? leaving.sku, node: known?.from ?? leaving.from };
  pool.reap(new Set([sku]));
  const { units, state } = leaving;
  const goesOn = known?.sku === sku && known.from === from;
  const node = to.node === from ? (to.node % 4) + 1 : to.node;
  const line = goesOn ? known : newLine(pool, { ...to, sku, node }, from);
  const which = riding && {
    line: mine?.lines[riding.line]?.id,
    fulfilment: riding.fulfilment ?? '',
    quantity: Math.min(units, riding.confirmed),
  };
  const shipment = { sku, from, line, units };
  const verdict = receiving.ship(pool.model, {
    ...shipment,
    state,
    rider: mine && which ? { promised: pool.promised(mine), which: { ...which, sku, node: from } } : null,
  });
  const seen = seenBy(pool.watermarks, sku, from, pool.model.at);
  const decision = decideShip(
    [
      {
        ...shipment,
        isLate: seen.total !== null,
        counted: seen.states,
        state: state && STATE_NAMES[state],
        riders: mine && which ? [{ reservation: pool.reservation(mine.key), selected: which }] : [],
      },
    ],
    pool.supplies,
    pool.terms(false),
  );
  assert.equal(decision.ok ? 'done' : decision.rejection.code, verdict);
  if (decision.ok) {
    take(pool, decision.value.effects, decision.value.effect);
    pool.inspect(decision.value.effect);
  }
  pool.serve();
  const rider = mine && which ? { reservation: mine.key, units: which } : null;
  const leg = { sku, from, to: line.node, line: line.detail, isNew: !goesOn, dueAt: sinceBegin(line.dueAt), units };
  pool.told({ kind: 'ship', ...leg, state: state && STATE_NAMES[state], rider }, verdict);
  // Who boards waits since, so that what a late leg frees is left for a later slice.
  if (pool.options.isCaller && rider) tend(pool, sku);
}

/** Units are looked at; some are for sale from now on, others are damaged. */
export function inspect(pool: PlayedPool, pick: number, approved: number, rejected: number): void {
  const at = pick % Math.max(1, pool.inspections.length);
  const inspection = pool.inspections[at];
  if (!inspection) return;
  const { sku, node, open } = inspection;
  pool.reap(new Set([sku]));
  const command = { kind: 'inspect', inspection: at, sku, approved, rejected } as const;
  const decision = decideInspection(inspection, { approved, rejected }, pool.supplies);
  assert.equal(decision.ok, approved + rejected <= open);
  if (!decision.ok) return pool.told(command, 'inspection.exceeds_open');
  const moved = receiving.judge(pool.model, sku, node, approved, rejected);
  const missing = approved + rejected - moved.approved - moved.rejected;
  assert.deepEqual(decision.value.moved, moved);
  assert.equal(decision.value.missing, missing);
  pool.inspections[at] = {
    ...{ sku, node, open: open - approved - rejected },
    approved: inspection.approved + moved.approved,
    rejected: inspection.rejected + moved.rejected,
    missing: inspection.missing + missing,
  };
  assert.equal(decision.value.open, pool.inspections[at].open);
  pool.apply(decision.value.effect);
  pool.serve();
  pool.told(command, 'done');
}
