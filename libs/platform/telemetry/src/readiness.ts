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
  private readonly checks: Readonly<Record<string, ReadinessCheck>>;
  private readonly timeout_ms: number;
  private round: Promise<ReadinessReport> | undefined;
  private isDraining = false;

  constructor(checks: Readonly<Record<string, ReadinessCheck>>, timeout_ms: number) {
    this.checks = checks;
    this.timeout_ms = timeout_ms;
  }

  /** From now on not ready, so that load balancers turn away before the app closes. */
  drain(): void {
    this.isDraining = true;
  }

  /** Never rejects, and takes no longer than the time-out. */
  async report(): Promise<ReadinessReport> {
    if (this.isDraining) {
      const draining: CheckResult = { status: 'failed', durationMs: 0, reason: 'shutting down' };
      return { isReady: false, checks: { shutdown: draining } };
    }
    this.round ??= this.runRound().finally(() => (this.round = undefined));
    return this.round;
  }

  private async runRound(): Promise<ReadinessReport> {
    const entries = await Promise.all(
      Object.entries(this.checks).map(async ([name, check]) => [name, await this.run(check)] as const),
    );
    return { isReady: entries.every(([, { status }]) => status === 'ok'), checks: Object.fromEntries(entries) };
  }

  private async run(check: ReadinessCheck): Promise<CheckResult> {
    const started_ms = performance.now();
    const timer = new AbortController();
    const timeout = delay(this.timeout_ms, undefined, { signal: timer.signal }).then(() => {
      throw new Error(`no answer within ${this.timeout_ms} ms`);
    });
    try {
      await Promise.race([Promise.resolve().then(check), timeout]);
      return { status: 'ok', durationMs: elapsed(started_ms) };
    } catch (error) {
      return { status: 'failed', durationMs: elapsed(started_ms), reason: reasonOf(error) };
    } finally {
      timer.abort();
      timeout.catch(() => undefined);
    }
  }
}

const elapsed = (started_ms: number): number => Math.round(performance.now() - started_ms);

/** The probe is open to anybody, so a connection string in the message must not show its password. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replaceAll(/\/\/[^/@\s]*@/g, '//').slice(0, 200);
}
