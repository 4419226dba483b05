import { describe, expect, it } from '@jest/globals';
import type { FaultResult } from './drill-fault.ts';
import { flatReport, resultTable } from './report.ts';

const survived: FaultResult = {
  fault: 'kill-postgres',
  violations: [],
  measures: { recoveryMs: 66.4, outageMs: 4_640, violations: [] },
  lost: 0,
  doubled: 0,
  missingEvents: 0,
  replay: { exitCode: 0, summary: undefined, lastWords: [] },
  probes: { lost: 0, doubled: 0, acknowledged: 10, foundLater: 1 },
  effects: { effects: 5, missing: 0, doubled: 0, foreign: 0, gaps: 0 },
};
const violated: FaultResult = {
  ...survived,
  fault: 'kill-nats',
  violations: ['2 facts took no effect'],
  missingEvents: 2,
};

describe('the report of a drill', () => {
  it('says PASS of a fault that was survived, and FAIL where any claim does not hold', () => {
    const lines = resultTable([survived, violated]).split('\n');
    expect(lines.find((line) => line.includes('kill-postgres'))).toMatch(/PASS.*0\.07.*–.*0.*0.*0/);
    expect(lines.find((line) => line.includes('kill-nats'))).toMatch(/FAIL.*2 │$/);
  });

  it('is flat JSON whose figures begin with the name of the fault; what was not measured is null', () => {
    const report = flatReport([survived, violated], { seed: 1 }, violated.violations);
    expect(report).toMatchObject({
      seed: 1,
      violations: 1,
      kill_postgres_survived: true,
      kill_postgres_recovery_s: 0.07,
      kill_postgres_p99_ms: null,
      kill_nats_survived: false,
      kill_nats_missing_events: 2,
    });
    expect(Object.values(report).filter((value) => typeof value === 'object' && value !== null)).toEqual([]);
  });
});
