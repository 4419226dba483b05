import { describe, expect, it } from '@jest/globals';
import { OneAtATime } from './one-at-a-time.ts';

describe('heavy work', () => {
  it('runs once at a time, refuses whoever comes meanwhile, and is free again afterwards, even after a failure', async () => {
    const heavy = new OneAtATime();
    let end = (): void => undefined;
    const first = heavy.run(() => new Promise<void>((resolve) => (end = resolve)));
    expect(await heavy.run(() => Promise.resolve())).toMatchObject({ ok: false, rejection: { code: 'limit.rate' } });
    end();
    await first;
    await expect(heavy.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await heavy.run(() => Promise.resolve('yes'))).toEqual({ ok: true, value: 'yes' });
  });
});
