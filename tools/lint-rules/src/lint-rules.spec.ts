import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Lint, lintFixtures } from './lint-fixtures.ts';

interface Constraint {
  readonly sourceTag?: string;
  readonly allSourceTags?: readonly string[];
}

const boundaryRule = '@nx/enforce-module-boundaries';
const production = 'apps/availability/composes.ts';
const pureDomain = 'libs/stock/domain/decides.ts';

describe('lint rules', () => {
  let reports: Lint['reports'];
  let rulesOf: Lint['rules'];
  beforeAll(async () => {
    ({ reports, rules: rulesOf } = await lintFixtures([production, pureDomain]));
  });

  it('report in each fixture exactly the rule and the message that its head announces', () => {
    const found = Object.fromEntries(reports.map((report) => [report.path, report.found]));
    const expected = Object.fromEntries(reports.map((report) => [report.path, report.expected]));
    expect(found).toEqual(expected);
  });

  it('leave the allowed imports alone', () => {
    const allowed = reports.filter((report) => report.expected.length === 0);
    expect(allowed.length).toBeGreaterThanOrEqual(5);
    expect(allowed.flatMap((report) => report.found)).toEqual([]);
  });

  it('have a fixture that breaks each boundary constraint', () => {
    const [, options] = rulesOf[production]![boundaryRule] as [number, { depConstraints: Constraint[] }];
    const tags = options.depConstraints.map(
      ({ sourceTag, allSourceTags }) => sourceTag ?? allSourceTags?.join('" and "'),
    );
    const covered = (tag?: string): boolean =>
      reports.some(({ found }) => found.some((line) => line.includes(`tagged with "${tag}" can only`)));
    expect(tags.filter((tag) => !covered(tag))).toEqual([]);
    expect(tags).not.toContain('*');
  });

  it('find a circle of imports in each file of it, types included', () => {
    const inCircle = reports.filter(({ found }) => found.some((line) => line.startsWith('import(no-cycle)')));
    expect(inCircle.map(({ path }) => path)).toEqual([
      'libs/platform/clock/leads-back-by-a-type.ts',
      'libs/platform/clock/leads-back-by-a-value.ts',
    ]);
  });

  it('have a fixture for each rule that makes a domain pure', () => {
    const rules = Object.keys(rulesOf[pureDomain]!).filter((rule) => rule.startsWith('no-restricted-'));
    const broken = new Set(reports.flatMap(({ found }) => found.map((line) => line.split(':')[0])));
    expect(rules.length).toBeGreaterThanOrEqual(4);
    expect(rules.filter((rule) => !broken.has(rule))).toEqual([]);
  });
});
