import { describe, expect, it } from '@jest/globals';
import { Figures } from './figures.ts';
import { KEYS, groupOf, keysNamed, reaches } from './keys.ts';
import { figuresTable, reportJson, shown } from './report.ts';

const named = (...names: string[]): string[] => keysNamed(names).map(({ key }) => key);

describe('names', () => {
  it('stand for all figures, a group, one figure, or those that begin so', () => {
    expect(named('all')).toHaveLength(KEYS.length);
    expect(named('relay')).toEqual(['relay.lag_p99_s', 'relay.missing', 'relay.refill_per_s']);
    expect(named('reserve.hot_512_vs_64')).toEqual(['reserve.hot_512_vs_64']);
    expect(named('reserve.uniform', 'scale.random')).toHaveLength(4);
    expect(named('orders')).toEqual(expect.arrayContaining(named('allocate', 'reject', 'receipt')));
  });

  it('of nothing are refused, with what there is', () => {
    expect(() => named('reserv', 'speed')).toThrow(/speed is no benchmark.*reserve\.hot_vs_multi/);
  });

  it('are unique, and each lies in its group', () => {
    expect(new Set(KEYS.map(({ key }) => key)).size).toBe(KEYS.length);
    expect([...new Set(KEYS.map(groupOf))]).toEqual([
      'reserve',
      'http',
      'relay',
      'propagate',
      'scale',
      'feed',
      'orders',
    ]);
  });
});

describe('a target', () => {
  const key = { key: 'x.y', kind: 'ratio', target: 2, unit: '×' } as const;
  it('is reached from the side that is better, itself included', () => {
    expect([1, 2, 3].map((value) => reaches({ ...key, better: 'higher' }, value))).toEqual([false, true, true]);
    expect([1, 2, 3].map((value) => reaches({ ...key, better: 'lower' }, value))).toEqual([true, true, false]);
    expect(reaches({ ...key, better: 'lower', target: null }, 1)).toBeNull();
  });
});

describe('the report', () => {
  const figures = new Figures();
  figures.set('reserve.hot_vs_multi', [14, 18, 16]);
  figures.set('relay.missing', [0]);
  figures.detail('reserve.hot_engine_per_s', [20_000, 22_000]);
  figures.cpu.push({ what: 'reserve.hot_engine', client: 31.5, postgres: null, app: null });
  figures.notRun.set('scale.random_10m_vs_10k', 'not in a quick run');
  const keys = keysNamed(['reserve.hot_vs_multi', 'relay.missing', 'scale.random_10m_vs_10k']);

  it('as JSON is flat, holds numbers only for figures, and states every direction', () => {
    const json = reportJson(keys, figures, { cores: 2 });
    expect(json.ratios).toEqual({
      'reserve.hot_vs_multi': 16,
      'reserve.hot_vs_multi.min': 14,
      'reserve.hot_vs_multi.max': 18,
    });
    expect(json.absolutes).toMatchObject({
      'relay.missing': 0,
      'reserve.hot_engine_per_s': 21_000,
      'cpu_us.reserve.hot_engine.client': 31.5,
    });
    expect(json.absolutes).not.toHaveProperty(['cpu_us.reserve.hot_engine.postgres']);
    expect(json.environment).toMatchObject({
      cores: 2,
      'better.reserve.hot_vs_multi': 'higher',
      'better.relay.missing': 'lower',
      'target.reserve.hot_vs_multi': 15,
      'not_run.scale.random_10m_vs_10k': 'not in a quick run',
    });
  });

  it('as a table shows spread, direction, target, and why a figure is absent', () => {
    const table = figuresTable(keys, figures);
    expect(table).toMatch(/reserve\.hot_vs_multi.*16.*14–18.*higher is better.*≥ 15.*met/);
    expect(table).toMatch(/scale\.random_10m_vs_10k.*not in a quick run/);
  });

  it.each([
    [0.12345, '0.123'],
    [16.04, '16'],
    [1_234.5, '1,235'],
    [0, '0'],
  ])('shows %d as %s', (value, text) => {
    expect(shown(value)).toBe(text);
  });
});
