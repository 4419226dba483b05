/**
 * An observer that is independent of the replay: through every replica it holds one unit of one hot SKU every 50 ms,
 * whether or not earlier probes have been answered, and remembers what it was told. Probes are never repeated, so their
 * latencies are those of the system and not of a retry.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../until.ts';
import { Api } from './api.ts';
import type { Probe } from './probe.ts';

const EVERY_MS = 50;
const STOCK_UNITS = 1_000_000;
const HOLD_SECONDS = 14_400;

export class Prober {
  /** Every code and id of this prober begins so. */
  readonly prefix: string;
  readonly sku: string;
  readonly probes: Probe[] = [];
  readonly apis: readonly Api[];
  readonly #stopping = new AbortController();
  readonly #loops: Promise<void>[] = [];
  readonly #underWay = new Set<Promise<void>>();

  private constructor(apis: readonly Api[], run: string) {
    this.apis = apis;
    this.prefix = `p${run}-`;
    this.sku = `${this.prefix}hot`;
  }

  /** Makes a SKU, a node and a channel of its own, with more units than it will ever hold, and begins to probe. */
  static async start(urls: readonly string[], key: string, run: string): Promise<Prober> {
    const prober = new Prober(
      urls.map((url) => new Api(url, key)),
      run,
    );
    await prober.#stockUp();
    for (const api of prober.apis) prober.#loops.push(prober.#probeRegularly(api));
    return prober;
  }

  /** Holds through one replica as fast as it answers, `concurrency` at a time, until the returned function is called. */
  hammer(url: string, concurrency: number): () => void {
    const stop = new AbortController();
    const api = this.#apiOf(url);
    const loop = async (): Promise<void> => {
      while (!stop.signal.aborted && !this.#stopping.signal.aborted) {
        if ((await this.#probe(api)) !== 'granted') await delay(EVERY_MS);
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
    await Promise.all(this.apis.map((api) => api.close()));
  }

  async #probeRegularly(api: Api): Promise<void> {
    let nextMs = performance.now();
    while (!this.#stopping.signal.aborted) {
      const sent: Promise<void> = this.#probe(api).then(() => void this.#underWay.delete(sent));
      this.#underWay.add(sent);
      nextMs = Math.max(nextMs + EVERY_MS, performance.now());
      await delay(Math.max(0, nextMs - performance.now()));
    }
  }

  async #probe(api: Api): Promise<Probe['outcome']> {
    const id = `${this.prefix}${this.#sent++}`;
    const body = { id, channel: `${this.prefix}web`, lines: [{ sku: this.sku, quantity: 1 }] };
    const fromMs = performance.now();
    const attempt = api.call('hold', {}, { ...body, expiresInSeconds: HOLD_SECONDS });
    const answer = await attempt.catch((error: unknown) => String(error));
    const probe = { id, url: api.url, fromMs, untilMs: performance.now(), ...judge(answer) };
    this.probes.push(probe);
    return probe.outcome;
  }
  #sent = 0;

  async #stockUp(): Promise<void> {
    const node = `${this.prefix}n1`;
    await this.#demand('putSkus', { skus: [{ sku: this.sku }] });
    await this.#demand('putNodes', { nodes: [{ node, type: 'warehouse' }] });
    await this.#demand('putChannels', { channels: [{ channel: `${this.prefix}web`, type: 'web', nodes: [node] }] });
    const movements = [{ type: 'receipt', sku: this.sku, node, quantity: STOCK_UNITS }];
    await this.#demand('recordMovements', { id: `${this.prefix}stock`, source: 'wms', movements });
  }

  async #demand(name: Parameters<Api['call']>[0], body: unknown): Promise<void> {
    const answer = await this.apis[0]?.call(name, {}, body);
    if (answer && answer.status < 300) return;
    throw new Error(`${name}: ${answer?.status} ${JSON.stringify(answer?.body)}`);
  }

  #apiOf(url: string): Api {
    const api = this.apis.find((one) => one.url === url);
    if (!api) throw new Error(`${url} is not probed.`);
    return api;
  }
}

const RETRYABLE = new Set([429, 503]);

/** Granted, refused for now as it should be, without an answer, or answered as no correct system answers. */
function judge(answer: Awaited<ReturnType<Api['call']>> | string): Pick<Probe, 'outcome' | 'detail'> {
  if (typeof answer === 'string') return { outcome: 'unanswered', detail: answer };
  const detail = `${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`;
  if (answer.status === 201) return { outcome: 'granted', detail };
  if (RETRYABLE.has(answer.status) && answer.retryAfter !== undefined) return { outcome: 'try_again', detail };
  return { outcome: 'unexpected', detail };
}
