/** Sends a feed to the app and waits until it has been applied. */
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Feed } from '@onepool/contracts';
import { request } from 'undici';
import type { App } from '../setting/app-process.ts';
import { WrongResultsError } from '../setting/verify.ts';

/** Rarely enough that asking costs the app nothing. */
const POLL_MS = 100;
const DEADLINE_MS = 600_000;

export interface AppliedFeed {
  /** From the request to the answer that says `done`. */
  readonly seconds: number;
  readonly applied: number;
}

/** @throws WrongResultsError when the feed fails or refuses a row: every row names a SKU and node that there are. */
export async function applyFeed(
  app: App,
  { id, mode }: Pick<Feed, 'id' | 'mode'>,
  csv: readonly Buffer[],
): Promise<AppliedFeed> {
  const query = new URLSearchParams({
    id,
    source: 'bench',
    mode,
    measure: 'physical',
    capturedAt: new Date().toISOString(),
  });
  const authorization = `Bearer ${app.key}`;
  const begun = performance.now();
  const sent = await request(`${app.url}/v1/feeds?${query.toString()}`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'text/csv' },
    body: Readable.from(csv),
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const text = await sent.body.text();
  if (sent.statusCode !== 202) throw new WrongResultsError(`a feed was answered ${sent.statusCode}: ${text}`);
  for (;;) {
    const asked = await request(`${app.url}/v1/feeds/${id}`, { headers: { authorization } });
    const feed = (await asked.body.json()) as Feed;
    if (feed.state === 'failed') throw new WrongResultsError(`a feed failed: ${feed.failure}`);
    if (feed.state === 'done') {
      const { rows } = feed;
      if (rows.refused > 0) throw new WrongResultsError(`a feed refused ${rows.refused} rows`);
      return { seconds: (performance.now() - begun) / 1_000, applied: rows.applied };
    }
    if (performance.now() - begun > DEADLINE_MS)
      throw new Error(`a feed is still ${feed.state}, ${feed.percentage} % done`);
    await delay(POLL_MS);
  }
}
