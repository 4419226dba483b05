import { describe, expect, it } from '@jest/globals';
import { SILENT } from '@onepool/platform-progress';
import { type Invoice, type InvoiceLine, planReplay, randomOf } from '@onepool/simulator-domain';
import { CONTRACT_LIMITS } from './contract-limits.ts';
import { ApiClient } from './drive/api-client.ts';
import { type ReplayOutcome, runReplay } from './run-replay.ts';
import { FakeSystem, type Flaw } from './testing/fake-system.ts';

const random = randomOf(1, 'trace');
const linesOf = (count: number): InvoiceLine[] =>
  Array.from({ length: count }, () => ({ stockCode: `S${random.below(12)}`, quantity: 1 + random.below(9) }));
const invoices: Invoice[] = Array.from({ length: 260 }, (_, index) => ({
  invoice: String(1_000 + index),
  kind: index % 17 === 16 ? 'return' : index % 11 === 10 ? 'write_off' : 'order',
  atMs: index,
  lines: linesOf(index % 11 === 10 ? 1 : 1 + random.below(4)),
}));
const options = { run: 'test', seed: 3, nodes: 4, posShare: 0.5, partialShare: 0.2, confirmShare: 0.7 };
const plan = planReplay(invoices, options, CONTRACT_LIMITS);

const replayAgainst = async (
  flaw: Flaw,
  retryForMs = 20_000,
): Promise<ReplayOutcome & { readonly flawsShown: number; readonly interruptions: number }> => {
  let interruptions = 0;
  const system = new FakeSystem(flaw);
  const urls = [await system.listen()];
  const client = new ApiClient({ urls, key: 'k', connections: 16, retryForMs, attemptTimeoutMs: 5_000 });
  try {
    const outcome = await runReplay(plan, client, system.facts, {
      concurrency: 16,
      speed: 'max',
      quiescence: { stallMs: 200, pollMs: 5 },
      progress: SILENT,
      onPhase: () => undefined,
      interrupt: () => void (interruptions += 1),
    });
    return { ...outcome, flawsShown: system.flawsShown, interruptions };
  } finally {
    await client.close();
    await system.close();
  }
};

describe('replay', () => {
  it('passes a correct system that sold out, moved promises and broke some', async () => {
    const { summary, failures, findings } = await replayAgainst('none');
    expect([failures, findings]).toEqual([[], []]);
    expect(summary.granted + summary.refused + summary.pos_sales).toBe(summary.orders);
    for (const key of ['granted', 'refused', 'granted_partly', 'moved', 'broken'] as const)
      expect([key, summary[key] > 0]).toEqual([key, true]);
    expect(Object.values(summary).every((value) => typeof value !== 'object')).toBe(true);
  });

  it.each<Flaw>(['cuts connections after the effect', 'is often busy'])(
    'passes a correct system that %s',
    async (flaw) => {
      const { summary, failures, outages } = await replayAgainst(flaw);
      expect(failures).toEqual([]);
      expect(summary.retries).toBeGreaterThanOrEqual(summary.calls_retried);
      expect(summary.calls_retried).toBeGreaterThan(0);
      expect(outages.some(({ failedAttempts }) => failedAttempts > 0)).toBe(true);
    },
  );

  it('lets something be broken once, while orders flow', async () => {
    const { interruptions, summary } = await replayAgainst('none');
    expect([interruptions, summary.failed]).toEqual([1, 0]);
  });

  it('finds out what became of calls that were never answered, and passes the correct system', async () => {
    const { summary, failures, flawsShown } = await replayAgainst('leaves some calls unanswered', 300);
    expect(flawsShown).toBeGreaterThan(10);
    expect(failures).toEqual([]);
    expect(summary.granted + summary.refused + summary.pos_sales + summary.unknown).toBe(summary.orders);
  });

  it.each<[Flaw, keyof ReplayOutcome['summary']]>([
    ['oversells', 'oversold'],
    ['refuses wrongly', 'undersold'],
    ['cuts partial grants wrongly', 'undersold'],
    ['loses an acknowledged write', 'lost'],
    ['applies a repeated sale twice', 'lost'],
  ])('fails a system that %s', async (flaw, figure) => {
    const { summary, failures, flawsShown } = await replayAgainst(flaw);
    expect(flawsShown).toBeGreaterThan(0);
    expect(summary[figure]).toBeGreaterThan(0);
    expect(failures).not.toEqual([]);
  });

  it('fails a system that drops a fact, by its count and by the chain of versions', async () => {
    const { summary, flawsShown } = await replayAgainst('drops a fact');
    expect([flawsShown, summary.events_published - summary.events_received]).toEqual([1, 1]);
  });

  it('fails a system that forgets to heal: more is broken than had to be', async () => {
    const { summary, failures } = await replayAgainst('forgets to heal');
    expect(summary.broken).toBeGreaterThan(summary.broken_expected);
    expect(failures).not.toEqual([]);
  });

  it('fails a system whose ledger does not balance', async () => {
    const { failures } = await replayAgainst('does not balance');
    expect(failures).toEqual(['the ledger does not balance']);
  });
});
