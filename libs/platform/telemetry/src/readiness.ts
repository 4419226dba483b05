/**
 * Whether this replica should be sent requests: every check passes within its time, and it is not shutting down.
 *
 * Checks run together, one round at a time: probes that come while a round runs get its result, so that probing cannot
 * pile work upon a server that is slow.
 */
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves if the named thing works, rejects with the reason if not. */
export type ReadinessCheck = () => Promise<unknown>;

export interface CheckResult {
  readonly status: 'ok' | 'failed';
  readonly durationMs: number;
  /** Why it failed. */
  readonly reason?: string;
}

export interface ReadinessReport {
  readonly isReady: boolean;
  readonly checks: Readonly<Record<string, CheckResult>>;
}

export class Readiness {
  readonly #checks: Readonly<Record<string, ReadinessCheck>>;
  readonly #timeoutMs: number;
  #round: Promise<ReadinessReport> | undefined;
  #isDraining = false;

  constructor(checks: Readonly<Record<string, ReadinessCheck>>, timeoutMs: number) {
    this.#checks = checks;
    this.#timeoutMs = timeoutMs;
  }

  /** From now on not ready, so that load balancers turn away before the app closes. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Never rejects, and takes no longer than the time-out. */
  async report(): Promise<ReadinessReport> {
    if (this.#isDraining) {
      const draining: CheckResult = { status: 'failed', durationMs: 0, reason: 'shutting down' };
      return { isReady: false, checks: { shutdown: draining } };
    }
    this.#round ??= this.#runRound().finally(() => (this.#round = undefined));
    return this.#round;
  }

  async #runRound(): Promise<ReadinessReport> {
    const entries = await Promise.all(
      Object.entries(this.#checks).map(async ([name, check]) => [name, await this.#run(check)] as const),
    );
    return { isReady: entries.every(([, { status }]) => status === 'ok'), checks: Object.fromEntries(entries) };
  }

  async #run(check: ReadinessCheck): Promise<CheckResult> {
    const startedMs = performance.now();
    const timer = new AbortController();
    const timeout = delay(this.#timeoutMs, undefined, { signal: timer.signal }).then(() => {
      throw new Error(`no answer within ${this.#timeoutMs} ms`);
    });
    try {
      await Promise.race([Promise.resolve().then(check), timeout]);
      return { status: 'ok', durationMs: elapsed(startedMs) };
    } catch (error) {
      return { status: 'failed', durationMs: elapsed(startedMs), reason: reasonOf(error) };
    } finally {
      timer.abort();
      timeout.catch(() => undefined);
    }
  }
}

const elapsed = (startedMs: number): number => Math.round(performance.now() - startedMs);

/** The probe is open to anybody, so a connection string in the message must not show its password. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replaceAll(/\/\/[^/@\s]*@/g, '//').slice(0, 200);
}
