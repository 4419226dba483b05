/**
 * An observer that is independent of the replay: through every replica it holds one unit of one hot SKU every 50 ms,
 * whether or not earlier probes have been answered, and remembers what it was told. Probes are never repeated, so their
 * latencies are those of the system and not of a retry.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Outcome, valueOf } from '@onepool/client';
import type { AVAILABILITY_OPERATIONS } from '@onepool/contracts';
import { until } from '../until.ts';
import type { Probe } from './probe.ts';
import { type Replica, replicaAt } from './replica.ts';

const EVERY_MS = 50;
const STOCK_UNITS = 1_000_000;
const HOLD_SECONDS = 14_400;

export class Prober {
  /** Every code and id of this prober begins so. */
  readonly prefix: string;
  readonly sku: string;
  readonly probes: Probe[] = [];
  readonly replicas: readonly Replica[];
  readonly #stopping = new AbortController();
  readonly #loops: Promise<void>[] = [];
  readonly #underWay = new Set<Promise<void>>();

  private constructor(replicas: readonly Replica[], run: string) {
    this.replicas = replicas;
    this.prefix = `p${run}-`;
    this.sku = `${this.prefix}hot`;
  }

  /** Makes a SKU, a node and a channel of its own, with more units than it will ever hold, and begins to probe. */
  static async start(urls: readonly string[], key: string, run: string): Promise<Prober> {
    const prober = new Prober(
      urls.map((url) => replicaAt(url, key)),
      run,
    );
    await prober.#stockUp();
    for (const replica of prober.replicas) prober.#loops.push(prober.#probeRegularly(replica));
    return prober;
  }

  /** Holds through one replica as fast as it answers, `concurrency` at a time, until the returned function is called. */
  hammer(url: string, concurrency: number): () => void {
    const stop = new AbortController();
    const replica = this.#replicaAt(url);
    const loop = async (): Promise<void> => {
      while (!stop.signal.aborted && !this.#stopping.signal.aborted) {
        if ((await this.#probe(replica)) !== 'granted') await delay(EVERY_MS);
      }
    };
    for (let count = 0; count < concurrency; count += 1) this.#loops.push(loop());
    return () => stop.abort();
  }

  /** Waits for the first grant answered at or after `sinceMs` through `url`, or through any; resolves with its instant. */
  firstGrant(sinceMs: number, url?: string): Promise<number> {
    const matches = (probe: Probe): boolean =>
      probe.outcome === 'granted' && probe.untilMs >= sinceMs && (url === undefined || probe.url === url);
    return until(`a grant through ${url ?? 'any replica'}`, () => this.probes.find(matches)?.untilMs);
  }

  /** Milliseconds that probes through `url` took which were sent in the interval, answered or not. */
  latencies(url: string, fromMs: number, untilMs: number): number[] {
    return this.probes
      .filter((probe) => probe.url === url && probe.fromMs >= fromMs && probe.fromMs <= untilMs)
      .map((probe) => probe.untilMs - probe.fromMs);
  }

  /** Sends no more probes and waits for the answers to those under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#loops);
    await Promise.all(this.#underWay);
  }

  async close(): Promise<void> {
    await Promise.all(this.replicas.map(({ onepool }) => onepool.close()));
  }

  async #probeRegularly(replica: Replica): Promise<void> {
    let nextMs = performance.now();
    while (!this.#stopping.signal.aborted) {
      const sent: Promise<void> = this.#probe(replica).then(() => void this.#underWay.delete(sent));
      this.#underWay.add(sent);
      nextMs = Math.max(nextMs + EVERY_MS, performance.now());
      await delay(Math.max(0, nextMs - performance.now()));
    }
  }

  async #probe({ url, onepool }: Replica): Promise<Probe['outcome']> {
    const id = `${this.prefix}${this.#sent++}`;
    const body = { id, channel: `${this.prefix}web`, lines: [{ sku: this.sku, quantity: 1 }] };
    const fromMs = performance.now();
    const attempt = onepool.hold({ body: { ...body, expiresInSeconds: HOLD_SECONDS } });
    const answer = await attempt.catch((error: unknown) => String(error));
    const probe = { id, url, fromMs, untilMs: performance.now(), ...judge(answer) };
    this.probes.push(probe);
    return probe.outcome;
  }
  #sent = 0;

  async #stockUp(): Promise<void> {
    const [replica] = this.replicas;
    if (!replica) throw new Error('There is no replica to probe.');
    const { onepool } = replica;
    const [sku, node, channel] = [this.sku, `${this.prefix}n1`, `${this.prefix}web`];
    valueOf(await onepool.putSkus({ body: { skus: [{ sku }] } }));
    valueOf(await onepool.putNodes({ body: { nodes: [{ node, type: 'warehouse' }] } }));
    valueOf(await onepool.putChannels({ body: { channels: [{ channel, type: 'web', nodes: [node] }] } }));
    const movements = [{ type: 'receipt', sku, node, quantity: STOCK_UNITS }] as const;
    valueOf(await onepool.recordMovements({ body: { id: `${this.prefix}stock`, source: 'wms', movements } }));
  }

  #replicaAt(url: string): Replica {
    const replica = this.replicas.find((one) => one.url === url);
    if (!replica) throw new Error(`${url} is not probed.`);
    return replica;
  }
}

const RETRYABLE = new Set([429, 503]);

/** Granted, refused for now as it should be, without an answer, or answered as no correct system answers. */
function judge(answer: Outcome<typeof AVAILABILITY_OPERATIONS.hold> | string): Pick<Probe, 'outcome' | 'detail'> {
  if (typeof answer === 'string') return { outcome: 'unanswered', detail: answer };
  const detail = `${answer.status} ${JSON.stringify(answer.ok ? answer.value : answer.problem).slice(0, 300)}`;
  if (answer.ok) return { outcome: answer.status === 201 ? 'granted' : 'unexpected', detail };
  const isForNow = RETRYABLE.has(answer.status) && answer.retryAfterSeconds !== undefined;
  return { outcome: isForNow ? 'try_again' : 'unexpected', detail };
}
