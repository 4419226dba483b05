/** A call may say when it was sent by the clock that its times are of: that clock is then known to be ahead, if it is. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problemOf } from '../testing/answer.ts';
import { type AppFixture, createAppFixture } from '../testing/app-fixture.ts';
import { putNetwork, receive } from '../testing/network.ts';

const HOUR_MS = 3_600_000;
const edges = [['http'], ['rpc']] as const;
const iso = (at: number): string => new Date(at).toISOString();

let app: AppFixture;
beforeAll(async () => {
  app = await createAppFixture();
  await putNetwork(app, ['a']);
  await receive(app, 'a', { 'wh-1': 1_000 });
});
afterAll(() => app.close());

const sold = (id: string, occurredAt: string) => ({
  id,
  source: 'pos',
  occurredAt,
  movements: [{ type: 'sale', sku: 'a', node: 'wh-1', quantity: 1 }],
});

async function occurredAtOf(event: string): Promise<number> {
  const { rows } = await app.pool.query<{ occurred_at: Date }>(
    'SELECT DISTINCT occurred_at FROM ledger WHERE source_event_id = $1',
    [event],
  );
  expect(rows).toHaveLength(1);
  return rows[0]!.occurred_at.getTime();
}

describe.each(edges)('a clock that runs fast, over %s', (edge) => {
  it('is set right by what it says at sending', async () => {
    const now = Date.now();
    const body = sold(`${edge}-fast`, iso(now + HOUR_MS - 60_000));
    const headers = { 'onepool-sent-at': iso(now + HOUR_MS) };
    expect((await app[edge]('recordMovements', { body, headers })).status).toBe(201);
    const happened = await occurredAtOf(`${edge}-fast`);
    expect(happened).toBeGreaterThanOrEqual(now - 60_000);
    expect(happened).toBeLessThanOrEqual(Date.now() - 60_000);
  });

  it('that says nothing at sending cannot say more than that it happened before it was told', async () => {
    const body = sold(`${edge}-silent`, iso(Date.now() + HOUR_MS));
    expect((await app[edge]('recordMovements', { body })).status).toBe(201);
    expect(await occurredAtOf(`${edge}-silent`)).toBeLessThanOrEqual(Date.now());
  });

  it('that says no time is refused, and nothing is recorded', async () => {
    const body = sold(`${edge}-bad`, iso(Date.now()));
    const answer = await app[edge]('recordMovements', { body, headers: { 'onepool-sent-at': '2026-02-30T12:00:00Z' } });
    expect(problemOf(answer)).toMatchObject({ status: 400, code: 'request.invalid' });
    const { rowCount } = await app.pool.query('SELECT FROM ledger WHERE source_event_id = $1', [`${edge}-bad`]);
    expect(rowCount).toBe(0);
  });
});
