/** CSV out, and in again. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problemOf } from '../testing/answer.ts';
import { type AppFixture, createAppFixture } from '../testing/app-fixture.ts';

const CODES = ['=1+1', '-2', '@shop', 'a"b', 'c,d', 'e|f', 'g\\h', 'all', "'i", 'ü 語', 'true', '1e5'];

let app: AppFixture;
beforeAll(async () => {
  app = await createAppFixture();
  const skus = CODES.map((sku) => ({ sku, title: ` ${sku}\n "x" `, supplierCost: 5, supplierCostCurrency: 'EUR' }));
  await app.http('putSkus', { body: { skus } });
  const more = Array.from({ length: 250 }, (_, index) => ({ sku: `more-${index}` }));
  await app.http('putSkus', { body: { skus: more } });
  const nodes = CODES.map((node, index) => ({
    node,
    type: 'store',
    lat: -0.000_000_1,
    lng: index,
    activeFrom: '2026-01-01T00:00:00.5Z',
    groups: CODES.slice(index),
    fulfilmentTypes: index % 2 === 0 ? 'all' : [],
  }));
  await app.http('putNodes', { body: { nodes } });
  const channels = CODES.map((channel, index) => ({
    channel,
    type: 'web',
    nodes: index === 0 ? 'all' : CODES.slice(index),
  }));
  await app.http('putChannels', { body: { channels } });
});
afterAll(() => app.close());

const told = async (): Promise<unknown> => (await app.pool.query('SELECT count(*) AS n FROM catalog.outbox')).rows;
const headers = { 'content-type': 'text/csv' };

describe.each([
  ['skus', 'exportSkus', 'importSkus'],
  ['nodes', 'exportNodes', 'importNodes'],
  ['channels', 'exportChannels', 'importChannels'],
] as const)('%s', (name, exportId, importId) => {
  it('are exported as they are: the file imported again changes nothing', async () => {
    const before = await told();
    const answer = await app.http(exportId);
    expect(answer).toMatchObject({
      status: 200,
      contentType: 'text/csv; charset=utf-8',
      headers: { 'onepool-export': 'exact', 'content-disposition': `attachment; filename="${name}.csv"` },
    });
    const rows = name === 'skus' ? CODES.length + 250 : CODES.length;
    expect(await app.http(importId, { body: answer.body, headers })).toMatchObject({ body: { applied: rows } });
    expect(await told()).toEqual(before);
    expect((await app.http(exportId)).body).toBe(answer.body);
  });

  it('exported for a spreadsheet say so, hold no formula, and are refused by import', async () => {
    const { body, headers: sent } = await app.http(exportId, { query: { for: 'spreadsheet' } });
    expect(sent['onepool-export']).toBe('spreadsheet');
    expect(body).toMatch(/^spreadsheet-only,/);
    expect(body).toContain(`,'=1+1,`);
    expect(problemOf(await app.http(importId, { body, headers }))).toMatchObject({
      status: 422,
      code: 'import.spreadsheet',
    });
  });

  it('are exported to nobody without the scope, nor for anything else', async () => {
    const key = await app.makeKey('stranger', ['stock:read']);
    expect(problemOf(await app.http(exportId, { key }))).toMatchObject({ status: 403 });
    expect(problemOf(await app.http(exportId, { query: { for: 'print' } }))).toMatchObject({ status: 400 });
  });
});
