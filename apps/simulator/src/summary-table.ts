import type { Summary } from '@onepool/simulator-domain';
import Table from 'cli-table3';

/** What each figure counts, in the order in which a person reads them. */
const NOTES: Readonly<Record<keyof Summary, string>> = {
  orders: 'invoices with demand',
  lines: 'lines of these orders, as published',
  units: 'units these orders asked for',
  granted: 'reservations granted',
  granted_partly: 'of them with fewer units than asked',
  refused: 'reservations refused: sold out',
  pos_sales: 'orders sold at a counter',
  movements: 'stock movements told (counter sales, returns, write-offs, starting stock)',
  moved: 'promised units moved to another node',
  oversold: 'units promised without stock; must be 0',
  undersold: 'calls refused although enough was there; must be 0',
  broken: 'promised units lost to a physical event, by the system',
  broken_expected: 'the same by the independent model; must be equal',
  lost: 'units between acknowledged effects and the book; must be 0',
  unknown: 'calls without an answer',
  failed: 'calls with an answer that no correct call gets; must be 0',
  steps_refused: 'later steps refused',
  retries: 'attempts beyond the first',
  calls_retried: 'calls that needed them',
  outages: 'times at which calls failed, or none was answered for a second',
  outage_s: 'how long together, seconds',
  p50_ms: 'hold over HTTP, median, ms',
  p99_ms: 'hold over HTTP, 99th percentile, ms',
  orders_per_s: 'orders per second',
  duration_s: 'seconds of traffic',
  events_published: 'facts written',
  events_received: 'distinct facts received; must be equal',
  version_gaps: 'links missing in SKU version chains; must be 0',
  ledger_balanced: 'every balance is the sum of its ledger; must be true',
  seed: 'seed',
  run: 'run: ids begin with r<run>-',
};

export const summaryTable = (summary: Summary): string => {
  const table = new Table({
    head: ['', 'figure', 'what it counts'],
    colAligns: ['left', 'right', 'left'],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const [key, note] of Object.entries(NOTES)) {
    const value = summary[key as keyof Summary];
    table.push([
      key,
      typeof value === 'number' && key !== 'seed' ? value.toLocaleString('en-US') : String(value),
      note,
    ]);
  }
  return table.toString();
};
