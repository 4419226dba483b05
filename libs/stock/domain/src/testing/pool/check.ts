/** What must be so after every step: rows, ledger and reservations agree with the model and with each other. */
import assert from 'node:assert/strict';
import type { Backing, Reservation } from '../../reservation.ts';
import { type SupplyRow, net, rowFault } from '../../supply-row.ts';
import { fenceUsesOf, rowAt } from '../../supply.ts';
import { lineOf, supplyOf, talliedUnits } from '../arbitraries.ts';
import { usedOf } from './fencing.ts';
import { type Pile, type Promised, past } from './piles.ts';
import type { PlayedPool } from './played-pool.ts';
import { PLACES } from './world.ts';

export class Checks {
  readonly #pool: PlayedPool;
  /** As they were when they were last looked at. */
  readonly #reservations = new Map<number, Reservation>();
  readonly #rows = new Map<string, SupplyRow>();

  constructor(pool: PlayedPool) {
    this.#pool = pool;
  }

  /** Of reservations those that have changed, or all. */
  check(all = false): void {
    const promisedAt = new Map<string, { held: number; confirmed: number }>(
      PLACES.map(({ name }) => [name, { held: 0, confirmed: 0 }]),
    );
    for (const mine of this.#pool.reservations.values()) {
      if (all || this.#reservations.get(mine.key) !== mine) checkReservation(mine, this.#pool.promised(mine));
      this.#reservations.set(mine.key, mine);
      for (const { kind, sku, node, held, confirmed } of mine.backings) {
        const at = kind === 'stock' ? promisedAt.get(`${sku}/${node}`) : null;
        if (at) Object.assign(at, { held: at.held + held, confirmed: at.confirmed + confirmed });
      }
    }
    const { supplies, model, replayed } = this.#pool;
    for (const { sku, node, name } of PLACES) {
      const row = rowAt(supplies.get(sku) ?? supplyOf(sku, []), node);
      const where = `of SKU ${sku} at node ${node}`;
      assertHas(row, model.rowOf(sku, node), `the row ${where}`);
      const ledger = replayed.get(name);
      if (row !== this.#rows.get(name) || ledger !== row) {
        assertSame(ledger ?? {}, row, `the replay of the ledger ${where}`);
        assert.equal(rowFault(row), null);
        // From now on they are one object, as long as both stay as they are.
        this.#rows.set(name, row);
        replayed.set(name, row);
      }
      assert.equal(net(row), model.shelf(sku, node).net);
      const { held, confirmed } = promisedAt.get(name) ?? { held: 0, confirmed: 0 };
      assertHas(row, { reserved: held, committed: confirmed }, `promises ${where}`);
    }
    this.#checkFences();
  }

  /** What is used of a fence is what its piles say. */
  #checkFences(): void {
    const { supplies, model } = this.#pool;
    if (model.limits.kept.length === 0) return;
    for (const { sku, node, name } of PLACES) {
      const uses = fenceUsesOf(supplies.get(sku) ?? supplyOf(sku, [])).filter((use) => use.node === node);
      for (const { key } of model.limits.kept) {
        const used = uses.find(({ fence }) => fence === key)?.used ?? 0;
        assert.equal(used, usedOf(model, key, sku, node), `what is used of fence ${key} at ${name}`);
      }
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

const backingOf = (no: number, pile: Pile): Backing => ({
  no,
  line: pile.line,
  sku: pile.sku,
  kind: pile.node === null ? 'unbacked' : 'stock',
  node: pile.node ?? 0,
  detail: 0,
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
