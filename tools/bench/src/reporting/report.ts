/** The figures as tables for people and as JSON for programs. */
import Table from 'cli-table3';
import type { Compared } from '../compare/pair.ts';
import { spreadOf } from '../measuring/statistics.ts';
import type { Environment } from '../setting/environment.ts';
import type { CpuUse, Figures } from './figures.ts';
import { reaches } from './keys.ts';
import type { Key } from './keys.ts';
import type { Spread } from '../measuring/statistics.ts';

export interface ReportJson {
  readonly ratios: Readonly<Record<string, number>>;
  readonly absolutes: Readonly<Record<string, number>>;
  readonly environment: Environment;
}

/** Four digits are more than such a measurement is worth; integers stay whole. */
export function shown(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return Number(value.toPrecision(3)).toString();
}

const range = ({ min, max }: Spread): string => `${shown(min)}–${shown(max)}`;
const targetOf = ({ better, target }: Key): string =>
  target === null ? 'quoted only' : `${better === 'higher' ? '≥' : '≤'} ${shown(target)}`;

/** No line between rows: a run prints some sixty of them. */
const COMPACT = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const drawn = new Table({ head: [...head], chars: COMPACT, style: { head: [], border: [] } });
  drawn.push(...rows.map((row) => [...row]));
  return drawn.toString();
};

export function figuresTable(keys: readonly Key[], figures: Figures): string {
  const rows = keys.map((key) => {
    const spread = figures.spreads.get(key.key);
    const better = `${key.better} is better`;
    if (spread === undefined) {
      return [key.key, figures.notRun.get(key.key) ?? 'not run', '', key.unit, better, targetOf(key), ''];
    }
    const met = reaches(key, spread.median);
    const verdict = met === null ? '' : met ? 'met' : 'missed';
    return [key.key, shown(spread.median), range(spread), key.unit, better, targetOf(key), verdict];
  });
  return table(['figure', 'median', 'min–max', 'unit', 'direction', 'target', ''], rows);
}

export function detailsTable(figures: Figures): string {
  const rows = [...figures.details].map(([name, spread]) => [name, shown(spread.median), range(spread)]);
  return table(['measured', 'median', 'min–max'], rows);
}

export function cpuTable(figures: Figures): string {
  const cell = (value: number | null): string => (value === null ? '–' : shown(value));
  const rows = figures.cpu.map(({ what, client, postgres, app }) => [what, cell(client), cell(postgres), cell(app)]);
  return table(['CPU µs a request', 'this process', 'PostgreSQL', 'app under test'], rows);
}

/** One row a cost; a change above 0 % is worse. */
export function comparedTable(compared: readonly Compared[]): string {
  const percent = (ratio: number): string => `${ratio >= 1 ? '+' : '−'}${shown(Math.abs(ratio - 1) * 100)} %`;
  const rows = compared.map(({ workload, cost, before, after, ratios }) => {
    const { median, min, max } = spreadOf(ratios);
    return [workload, cost, shown(before), shown(after), percent(median), `${percent(min)} … ${percent(max)}`];
  });
  return table(['an operation of', 'cost', 'before', 'after', 'change', 'rounds'], rows);
}

export const environmentTable = (environment: Environment): string =>
  table(
    ['environment', ''],
    Object.entries(environment).map(([name, value]) => [name, String(value)]),
  );

/** Flat: `key` is the median, `key.min` and `key.max` its spread; directions and targets stand in `environment`. */
export function reportJson(keys: readonly Key[], figures: Figures, environment: Environment): ReportJson {
  const flat = (kind: Key['kind']): Record<string, number> =>
    Object.fromEntries(
      keys.filter((key) => key.kind === kind).flatMap(({ key }) => flatSpread(key, figures.spreads.get(key))),
    );
  return {
    ratios: flat('ratio'),
    absolutes: {
      ...flat('absolute'),
      ...Object.fromEntries([...figures.details].flatMap(([name, spread]) => flatSpread(name, spread))),
      ...Object.fromEntries(figures.cpu.flatMap(flatCpu)),
    },
    environment: {
      ...environment,
      ...Object.fromEntries(keys.map(({ key, better }) => [`better.${key}`, better])),
      ...Object.fromEntries(keys.flatMap(({ key, target }) => (target === null ? [] : [[`target.${key}`, target]]))),
      ...Object.fromEntries([...figures.notes].map(([name, note]) => [`note.${name}`, note])),
      ...Object.fromEntries([...figures.notRun].map(([key, reason]) => [`not_run.${key}`, reason])),
    },
  };
}

const flatSpread = (name: string, spread: Spread | undefined): [string, number][] =>
  spread === undefined
    ? []
    : [
        [name, spread.median],
        [`${name}.min`, spread.min],
        [`${name}.max`, spread.max],
      ];

const flatCpu = ({ what, ...uses }: CpuUse): [string, number][] =>
  Object.entries(uses).flatMap(([who, value]) => (value === null ? [] : [[`cpu_us.${what}.${who}`, value]]));
