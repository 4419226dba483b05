import { describe, expect, it } from '@jest/globals';
import { Readiness } from './readiness.ts';

const never = () => new Promise<void>(() => undefined);

describe('readiness', () => {
  it('needs every check to pass', async () => {
    const readiness = new Readiness({ good: () => Promise.resolve(), bad: () => Promise.reject(new Error('no')) }, 100);
    expect(await readiness.report()).toEqual({
      isReady: false,
      checks: {
        good: { status: 'ok', durationMs: expect.any(Number) },
        bad: { status: 'failed', durationMs: expect.any(Number), reason: 'no' },
      },
    });
    expect((await new Readiness({}, 100).report()).isReady).toBe(true);
  });

  it('does not wait for a check that hangs', async () => {
    const report = await new Readiness({ hung: never }, 5).report();
    expect(report.checks['hung']).toMatchObject({ status: 'failed', reason: 'no answer within 5 ms' });
  });

  it('counts a check that throws at once as failed, and hides a password in its reason', async () => {
    const check = () => {
      throw new Error('cannot reach postgres://app:hunter2@db:5432/x');
    };
    const report = await new Readiness({ database: check }, 100).report();
    expect(report.checks['database']?.reason).toBe('cannot reach postgres://db:5432/x');
  });

  it('answers probes that come together with one round of checks', async () => {
    let rounds = 0;
    const readiness = new Readiness({ counted: async () => ++rounds }, 100);
    await Promise.all([readiness.report(), readiness.report(), readiness.report()]);
    expect(rounds).toBe(1);
    await readiness.report();
    expect(rounds).toBe(2);
  });

  it('is over for good once the app drains', async () => {
    const readiness = new Readiness({ good: () => Promise.resolve() }, 100);
    readiness.drain();
    expect((await readiness.report()).isReady).toBe(false);
  });
});
