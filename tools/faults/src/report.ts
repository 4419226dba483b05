import Table from 'cli-table3';
import type { FaultResult } from './drill-fault.ts';

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
const show = (value: number | undefined): string => (value === undefined ? '–' : value.toLocaleString('en-US'));

interface Figures {
  readonly recovery_s: number | undefined;
  readonly outage_s: number | undefined;
  readonly p99_ms: number | undefined;
}

function figuresOf({ measures: { recoveryMs, outageMs, p99Ms } }: FaultResult): Figures {
  return {
    recovery_s: recoveryMs === undefined ? undefined : rounded(recoveryMs / 1_000, 2),
    outage_s: outageMs === undefined ? undefined : rounded(outageMs / 1_000, 2),
    p99_ms: p99Ms === undefined ? undefined : rounded(p99Ms, 0),
  };
}

export function resultTable(results: readonly FaultResult[]): string {
  const table = new Table({
    head: ['fault', 'outcome', 'recovery s', 'p99 ms', 'lost', 'doubled', 'missing events'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const result of results) {
    const { recovery_s, p99_ms } = figuresOf(result);
    const outcome = result.violations.length === 0 ? 'PASS' : 'FAIL';
    const counts = [result.lost, result.doubled, result.missingEvents].map(show);
    table.push([result.fault, outcome, show(recovery_s), show(p99_ms), ...counts]);
  }
  return table.toString();
}

/** One flat object; the figures of a fault begin with its name. */
export function flatReport(
  results: readonly FaultResult[],
  facts: Readonly<Record<string, number | string>>,
  violations: readonly string[],
): Record<string, number | string | boolean | null> {
  const flat: Record<string, number | string | boolean | null> = { ...facts, violations: violations.length };
  for (const result of results) {
    const name = result.fault.replaceAll('-', '_');
    const figures = {
      survived: result.violations.length === 0,
      ...figuresOf(result),
      lost: result.lost,
      doubled: result.doubled,
      missing_events: result.missingEvents,
      version_gaps: result.effects.gaps,
      replay_exit: result.replay.exitCode,
      replay_orders_per_s: result.replay.summary?.orders_per_s,
      replay_p99_ms: result.replay.summary?.p99_ms,
      replay_retries: result.replay.summary?.retries,
      probes_acknowledged: result.probes.acknowledged,
      probes_found_later: result.probes.foundLater,
      effects: result.effects.effects,
    };
    for (const [figure, value] of Object.entries(figures)) flat[`${name}_${figure}`] = value ?? null;
  }
  return flat;
}
