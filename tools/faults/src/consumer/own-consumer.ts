/** The consumer as seen by the drill: a child that is killed and started again, and the rows it leaves. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPool } from '@onepool/platform-postgres';
import type pg from 'pg';
import { startProgram } from '../child.ts';
import type { Child } from '../child.ts';
import type { OwnSystem } from '../own-system.ts';
import { until } from '../until.ts';
import { auditEffects } from './audit-effects.ts';
import type { EffectAudit } from './audit-effects.ts';
import { createConsumerDatabase } from './consumer-database.ts';

/** Without a new effect for so long, the consumer is taken to have come to its end. */
const STALL_MS = 45_000;
const SAY_EVERY_MS = 5_000;

export class OwnConsumer {
  /** Of the system's own database, where the outbox is. */
  readonly pool: pg.Pool;
  readonly #effects: pg.Pool;
  readonly #start: () => Child;
  #child: Child;
  #stopping = false;
  /** How often it ended without being told to. */
  crashes = 0;

  private constructor(pool: pg.Pool, effects: pg.Pool, start: () => Child) {
    this.pool = pool;
    this.#effects = effects;
    this.#start = start;
    this.#child = this.#watched();
  }

  /** `failpoints`: how it is broken. */
  static async start(system: OwnSystem, failpoints: string | null = null): Promise<OwnConsumer> {
    const url = await createConsumerDatabase(system.databaseOwnerUrl);
    const variables = { FAULTS_DATABASE_URL: url, FAULTS_NATS_URL: system.natsUrl };
    const log = join(system.logs, 'faults-consumer.log');
    const onLine = (line: string): void => appendFileSync(log, `${line}\n`);
    const broken = failpoints === null ? undefined : { plan: failpoints, killed: system.killedFolder };
    const start = (): Child =>
      startProgram({ entry: 'tools/faults/src/consumer/main.ts', variables, failpoints: broken, onLine });
    return new OwnConsumer(poolOf(system.databaseOwnerUrl), poolOf(url), start);
  }

  /** Rows written so far; 0 while PostgreSQL is away. */
  async effects(): Promise<number> {
    const { rows } = await this.#effects.query<{ seq: number }>(
      'SELECT coalesce(max(seq), 0) AS seq FROM faults.effect',
    );
    return Number(rows[0]?.seq ?? 0);
  }

  /** SIGKILL, then a new process. */
  async restart(): Promise<void> {
    const old = this.#child;
    this.#killed.add(old);
    await old.kill();
    this.#child = this.#watched();
  }
  readonly #killed = new Set<Child>();

  /** Waits until every fact of the outbox took effect, or nothing moves any more, and compares. */
  async audit(say: (message: string) => void, stallMs = STALL_MS): Promise<EffectAudit> {
    let before = -1;
    let movedAt = performance.now();
    let saidAt = movedAt;
    return until(
      'the effects to be compared',
      async () => {
        const audit = await auditEffects(this.pool, this.#effects);
        if (audit.effects !== before) movedAt = performance.now();
        const settled = audit.effects === before && audit.missing === 0;
        before = audit.effects;
        if (performance.now() - saidAt > SAY_EVERY_MS) {
          saidAt = performance.now();
          say(`${audit.effects} effects at the consumer, ${audit.missing} still to come`);
        }
        return settled || performance.now() - movedAt > stallMs ? audit : undefined;
      },
      10 * STALL_MS,
    );
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#child.stop();
    await Promise.all([this.pool.end(), this.#effects.end()]);
  }

  #watched(): Child {
    const child = this.#start();
    void child.ended.then(() => {
      if (this.#stopping || this.#killed.has(child)) return;
      this.crashes += 1;
      this.#child = this.#watched();
    });
    return child;
  }
}

const poolOf = (url: string): pg.Pool =>
  createPool({
    url,
    max: 4,
    applicationName: 'faults-drill',
    statementTimeoutMs: 20_000,
    lockTimeoutMs: 1_000,
    idleInTransactionTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
  });
