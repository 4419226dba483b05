import { describe, expect, it } from '@jest/globals';
import { SharedPage } from './shared-page.ts';

const HOUR_MS = 3_600_000;

describe('a shared page', () => {
  it('is made once however many ask while it is made, and for a while after', async () => {
    let made = 0;
    const page = new SharedPage(async () => `made ${++made}`, HOUR_MS);
    const pages = await Promise.all(Array.from({ length: 100 }, () => page.read()));
    expect(pages[0]?.toString()).toBe('made 1');
    expect(new Set([...pages, await page.read()]).size).toBe(1);
  });

  it('is made again when it has been kept long enough', async () => {
    let made = 0;
    const page = new SharedPage(async () => `made ${++made}`, 0);
    expect([String(await page.read()), String(await page.read())]).toEqual(['made 1', 'made 2']);
  });

  it('that could not be made is told to those who wait, and is made anew for others', async () => {
    let made = 0;
    const page = new SharedPage(async () => {
      if (++made === 1) throw new Error('no');
      return 'made';
    }, 0);
    const waiting = [page.read(), page.read()];
    await expect(Promise.all(waiting)).rejects.toThrow('no');
    expect((await page.read()).toString()).toBe('made');
  });
});
