/** What must be so after every step: rows, ledger and reservations agree with the model and with each other. */
import assert from 'node:assert/strict';
import type { Backing, Reservation } from '../../reservation.ts';
import { type SupplyRow, emptyRow, net, rowFault } from '../../supply-row.ts';
import { type SkuSupply, fenceUsesOf } from '../../supply.ts';
import { lineOf, talliedUnits } from '../arbitraries.ts';
import { lineBy } from './coming.ts';
import { usedOf } from './fencing.ts';
import { type Pile, type Promised, past } from './piles.ts';
import { type PlayedPool, rowName } from './played-pool.ts';
import type { ModelRow } from './pool.ts';
import { NODES, PLACES } from './world.ts';

const NOTHING: ModelRow = {
  available: 0,
  committed: 0,
  reserved: 0,
  safetyStock: 0,
  damaged: 0,
  qualityControl: 0,
  shortfall: 0,
  overdrawn: 0,
};

export class Checks {
  readonly #pool: PlayedPool;
  /** As they were when they were last looked at. */
  readonly #reservations = new Map<number, Reservation>();
  readonly #supplies = new Map<number, SkuSupply>();
  readonly #rows = new Map<string, SupplyRow>();

  constructor(pool: PlayedPool) {
    this.#pool = pool;
  }

  /** Of reservations and supplies those that have changed, or all. */
  check(all = false): void {
    for (const mine of this.#pool.reservations.values()) {
      if (all || this.#reservations.get(mine.key) !== mine) checkReservation(mine, this.#pool.promised(mine));
      this.#reservations.set(mine.key, mine);
    }
    for (const supply of this.#pool.supplies.values())
      if (all || this.#supplies.get(supply.sku) !== supply) this.#checkSupply(supply);
    if (all) this.#checkMissing();
  }

  #checkSupply(supply: SkuSupply): void {
    const { sku, rows, future, inbound } = supply;
    for (const row of rows) this.#checkRow(sku, row);
    for (const row of future) this.#checkRow(sku, row);
    for (const { detail, dueAt, isClosed } of inbound) {
      const line = lineBy(this.#pool.model, detail);
      assertHas(line, { dueAt, isClosed }, `line ${detail}`);
    }
    this.#checkFences(supply);
    this.#supplies.set(sku, supply);
  }

  /** The row is what the model knows of units and promises, and what the ledger says. */
  #checkRow(sku: number, row: SupplyRow): void {
    const { model, replayed } = this.#pool;
    const { kind, node, detail } = row;
    const name = rowName(sku, row);
    assertHas(
      row,
      model.rowOf(sku, node, kind === 'incoming' ? detail : kind === 'stock' ? null : kind),
      `the row ${name}`,
    );
    const ledger = replayed.get(name) ?? emptyRow(row);
    if (row === this.#rows.get(name) && ledger === row) return;
    assertSame(ledger, row, `the replay of the ledger of ${name}`);
    assert.equal(rowFault(row), null);
    if (kind === 'stock') assert.equal(net(row), model.shelf(sku, node).net);
    // From now on they are one object, as long as both stay as they are.
    this.#rows.set(name, row);
    replayed.set(name, row);
  }

  /** Where the book has no row, there is nothing. */
  #checkMissing(): void {
    const { model, supplies } = this.#pool;
    for (const { sku, node, name } of PLACES)
      if (!supplies.get(sku)?.rows.some((row) => row.node === node))
        assert.deepEqual(model.rowOf(sku, node), NOTHING, `nothing at ${name}`);
    for (const line of model.lines.values())
      if (!supplies.get(line.sku)?.future.some((row) => row.detail === line.detail))
        assert.deepEqual(model.rowOf(line.sku, line.node, line.detail), NOTHING, `nothing of line ${line.detail}`);
  }

  /** What is used of a fence is what its piles say. */
  #checkFences(supply: SkuSupply): void {
    const { model } = this.#pool;
    for (const { key } of model.limits.kept)
      for (const node of NODES) {
        const used = fenceUsesOf(supply).find((use) => use.fence === key && use.node === node)?.used ?? 0;
        assert.equal(
          used,
          usedOf(model, key, supply.sku, node),
          `what is used of fence ${key} at ${supply.sku}/${node}`,
        );
      }
  }
}

function checkReservation(mine: Reservation, promised: Promised): void {
  const { key, channel, version, expiresAt, order } = promised;
  const where = `of reservation ${key}`;
  assertSame(
    { channel: mine.channel, version: mine.version, expiresAt: mine.expiresAt, order: mine.controller?.order ?? null },
    { channel, version, expiresAt, order },
    `the head ${where}`,
  );
  assert.equal(mine.lines.length, promised.lines.length);
  for (const [no, line] of promised.lines.entries()) {
    const own = mine.backings.filter((one) => one.line === no);
    const { id, sku, nodes, granted, added, withdrawn } = mine.lines[no] ?? lineOf();
    assertSame(
      { id, sku, units: granted + added },
      { id: line.id, sku: line.sku, units: line.units },
      `line ${no} ${where}`,
    );
    assert.deepEqual(nodes, line.nodes);
    assert.ok(withdrawn >= 0 && withdrawn <= granted + added);
    const units = own.reduce((sum, one) => sum + talliedUnits(one), 0);
    assert.equal(units, granted + added, `units of line ${no} ${where}`);
  }
  assert.equal(mine.backings.length, promised.piles.length, `the backings ${where}`);
  for (const [no, pile] of promised.piles.entries())
    assertSame(mine.backings[no] ?? {}, backingOf(no, pile), `backing ${no} ${where}`);
}

function placeOf({ node, ahead }: Pile): Pick<Backing, 'kind' | 'detail'> {
  if (typeof ahead === 'number') return { kind: 'incoming', detail: ahead };
  if (ahead !== null) return { kind: ahead, detail: 0 };
  return { kind: node === null ? 'unbacked' : 'stock', detail: 0 };
}

const backingOf = (no: number, pile: Pile): Backing => ({
  no,
  line: pile.line,
  sku: pile.sku,
  ...placeOf(pile),
  node: pile.node ?? 0,
  fulfilment: pile.fulfilment,
  ...pile.units,
  accepted: past(pile, 1),
  picked: past(pile, 2),
  shipped: past(pile, 3),
  fence: pile.fence,
  fenced: pile.fenced,
});

/** As `deepEqual` of flat objects, and many times as quick: it is asked thousands of times for each history. */
function assertSame(found: object, expected: object, what: string): void {
  assertHas(found, expected, what);
  assert.equal(Object.keys(found).length, Object.keys(expected).length, what);
}

function assertHas(found: object, expected: object, what: string): void {
  for (const [name, value] of Object.entries(expected))
    if ((found as Readonly<Record<string, unknown>>)[name] !== value)
      assert.deepEqual(found, { ...found, ...expected }, what);
}
