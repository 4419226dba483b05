/** Lets the time of a history pass in the database, whose own clock goes on by itself. */
import type { Told } from '@onepool/stock-domain/testing';
import type { StockEngine } from '@onepool/stock-data-access';
import { CLIENT, SPEC } from '../../testing/pool-fixture.ts';
import { done } from '../asking.ts';
import { inboundId, lineId } from './supply-requests.ts';
import { type HistoryStage, SKUS_EACH, nodeCode, skuCode } from './stage.ts';

/** After every row was counted first, and so late that nothing of a history is before that. */
const BEGINS_AFTER_MS = 600_000;
const MS_EACH = 100;
/** Later than whatever is told as having happened, and before the history is played. */
const NEVER_TOLD_AFTER_MS = 1_800_000;
const LONG_AGO = '2020-01-01';
const NEVER = '2099-01-01';

/** When it happened, by the time of the model since the history began. */
export const timeOf = ({ countedAt }: HistoryStage, at: number): number => countedAt + BEGINS_AFTER_MS + at * MS_EACH;

export class DatabaseTime {
  readonly #stage: HistoryStage;
  readonly #history: number;
  /** Whose time has come in the database, too. */
  readonly #overdue = new Set<number>();
  /** Lines that are late there, too. */
  #late: ReadonlySet<number> = new Set();
  /** Steps of the version of a SKU that tell nobody anything. */
  #ticks = 0;
  #now = 0;

  constructor(stage: HistoryStage, history: number) {
    this.#stage = stage;
    this.#history = history;
  }

  /** Lets it be as late as it was when the command was told. */
  async pass(told: Told, idOf: (reservation: number) => string): Promise<void> {
    const due = told.overdue.filter((key) => !this.#overdue.has(key));
    const late = told.late.filter((line) => !this.#late.has(line));
    this.#late = new Set(told.late.filter((line) => !isAnnounced(told, line)));
    if (late.length > 0) {
      // Whoever touches the SKU would have holds run out that the history has not looked at yet.
      const known = [...this.#overdue].map(idOf);
      await this.#expire(known, NEVER);
      await this.#comeLate(told, late);
      await this.#expire(known, LONG_AGO);
    }
    for (const key of due) this.#overdue.add(key);
    await this.#expire(due.map(idOf), LONG_AGO);
    if (told.now > this.#now) await this.placeStages();
    this.#now = told.now;
  }

  async #expire(ids: readonly string[], at: string): Promise<void> {
    if (ids.length === 0) return;
    await this.#stage.looks.query(
      `WITH late AS (UPDATE reservation SET expires_at = $3 WHERE owner = $1 AND id = ANY($2) RETURNING reservation_key)
       UPDATE backing SET expires_at = $3 FROM late WHERE backing.reservation_key = late.reservation_key`,
      [CLIENT, ids, at],
    );
  }

  async #comeLate({ lines }: Told, details: readonly number[]): Promise<void> {
    const kinds = ['receipt', 'transfer'] as const;
    await this.#stage.looks.query(
      `UPDATE inbound_line l SET due_at = '${LONG_AGO}' FROM inbound i
        WHERE i.inbound_key = l.inbound_key AND i.actor = $1 AND i.id = ANY($2) AND l.line = ANY($3)`,
      [CLIENT, kinds.map((brings) => inboundId(this.#history, brings)), details.map(lineId)],
    );
    const skus = new Set(lines.filter(({ detail }) => details.includes(detail)).map(({ sku }) => sku));
    for (const sku of skus) await this.#tick(this.#stage.other, sku);
  }

  /** Engines know lines by the version of their SKU: somebody else announces a line and is done with it, of no unit. */
  async #tick(engine: StockEngine, sku: number): Promise<void> {
    const line = { id: lineId(++this.#ticks), sku: skuCode(this.#history, sku), node: nodeCode(1) };
    const lines = [{ ...line, quantity: 0, closed: true }];
    done(await engine.putInbound(SPEC, { id: `h${this.#history}-ticks`, lines }));
  }

  /** What left its stage without anybody telling when has done so by the time of the history. */
  async placeStages(): Promise<void> {
    const until = this.#stage.countedAt + NEVER_TOLD_AFTER_MS;
    await this.#stage.looks.query(
      `UPDATE stage_entry e SET occurred_at = to_timestamp($2 / 1000.0) FROM sku_code k
        WHERE k.code = ANY($1) AND e.sku_key = k.sku_key AND e.occurred_at > to_timestamp($3 / 1000.0)`,
      [SKUS_EACH.map((sku) => skuCode(this.#history, sku)), timeOf(this.#stage, this.#now), until],
    );
  }
}

/** Announced anew it is due later, and may be late once more by the next command. */
const isAnnounced = ({ command }: Told, line: number): boolean => command.kind === 'announce' && command.line === line;
