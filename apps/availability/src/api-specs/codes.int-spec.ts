import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROWS_COUNTED, type RowsCounted, STOCK_STREAM, type Feed, type StockOfSku } from '@onepool/contracts';
import { parseMessage, readFactKey } from '@onepool/platform-messaging';
import { readCode } from '@onepool/platform-codes';
import { type TestNats, startTestNats } from '@onepool/testing-servers';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { type AppFixture, createAppFixture, eventually } from '../testing/app-fixture.ts';

/** Names that shops use, and those that break programs which put codes into addresses, lists and lines unquoted. */
const KNOWN = [
  'A-1',
  'BANK CHARGES',
  '50% off',
  'a/b',
  'a\\b',
  'x|y',
  'x,y;z',
  'M 8 x 1" "soft"',
  "O'Neill & Co. #4?",
  '=1+1',
  '../etc',
  'all',
  'null',
  '__proto__',
  'Straße Größe ½',
  '日本語 の 品番',
  '😀'.repeat(255),
  'x'.repeat(255),
];
const random = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 40 })
  .map(readCode)
  .filter((code) => code !== null);

const seed = Date.now() % 1_000_000;
const CODES = [...new Set([...KNOWN, ...fc.sample(random, { numRuns: 30, seed })])];
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const inList = (code: string): string => code.replaceAll(/[\\|]|^(?=all$)/g, '\\$&');
const CSV = { 'content-type': 'text/csv' };

let nats: TestNats;
let app: AppFixture;
beforeAll(async () => {
  nats = await startTestNats();
  app = await createAppFixture({ nats });
  const importCsv = async (id: 'importSkus' | 'importNodes' | 'importChannels', lines: readonly string[]) =>
    expect(await app.http(id, { body: lines.join('\n'), headers: CSV })).toMatchObject({ status: 200 });
  await importCsv('importSkus', ['sku', ...CODES.map((code) => quoted(` ${code.normalize('NFD')} `))]);
  await importCsv('importNodes', ['node,type', ...CODES.map((code) => `${quoted(code)},store`)]);
  const nodes = quoted(CODES.map(inList).join('|'));
  await importCsv('importChannels', ['channel,type,nodes', ...CODES.map((code) => `${quoted(code)},web,${nodes}`)]);
});
afterAll(() => app.close());

type List = 'listSkus' | 'listNodes' | 'listChannels';
async function pagesOf(list: List, limit: number): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const { body } = await app.http(list, { query: { limit, ...(cursor === undefined ? {} : { cursor }) } });
    const page = body as { items: Record<string, unknown>[]; nextCursor: string | null };
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}

describe(`any printable code (seed ${seed})`, () => {
  it.each([
    ['listSkus', 'sku'],
    ['listNodes', 'node'],
    ['listChannels', 'channel'],
  ] as const)('comes through a CSV and the pages of %s', async (list, member) => {
    const told = (await pagesOf(list, 7)).map((item) => item[member]);
    expect(new Set(told)).toEqual(new Set(CODES));
    expect(told).toHaveLength(CODES.length);
  });

  it('stands in the list of another as it is, be it called all or have a stroke in it', async () => {
    for (const { nodes } of await pagesOf('listChannels', 100)) expect(nodes).toEqual(CODES);
  });

  it.each([
    ['HTTP', 'http'],
    ['NATS', 'rpc'],
  ] as const)('is found by path, query and body over %s, in whichever spelling', async (_edge, edge) => {
    for (const [index, code] of CODES.entries()) {
      const spelt = code.normalize(edge === 'http' ? 'NFD' : 'NFC');
      const movement = { type: 'receipt', sku: spelt, node: spelt, quantity: 2 };
      const id = `${edge}-${index}`;
      const moved = await app[edge]('recordMovements', { body: { id, source: 'wms', movements: [movement] } });
      expect(moved).toMatchObject({ status: 201, body: { skus: [{ sku: code, rows: [{ node: code }] }] } });
      const held = await app[edge]('hold', {
        body: { id, channel: spelt, nodes: [spelt], lines: [{ sku: ` ${spelt}`, quantity: 1 }] },
      });
      expect(held).toMatchObject({ status: 201, body: { channel: code, lines: [{ sku: code, granted: 1 }] } });
      expect(await app[edge]('getStock', { params: { sku: spelt } })).toMatchObject({ body: { sku: code } });
      const version = (moved.body as { skus: [{ version: number }] }).skus[0].version;
      const query = { channel: spelt, byNode: true, minVersion: version };
      const atp = await app[edge]('getAtp', { params: { sku: spelt }, query });
      expect(atp).toMatchObject({ status: 200, body: { sku: code, channel: code, nodes: [{ node: code }] } });
    }
  });

  it('has a ledger, a proof and a count of facts below its name', async () => {
    for (const code of CODES) {
      const ledger = await app.http('listLedger', { params: { sku: code }, query: { limit: 1 } });
      expect(ledger).toMatchObject({ status: 200, body: { items: [{ sku: code }] } });
      const proof = await app.http('verifyLedger', { body: { skuPrefix: code } });
      expect(proof).toMatchObject({ status: 200, body: { balanced: true, mismatches: [] } });
      const { body } = await app.http('countEvents', { query: { namePrefix: code } });
      expect((body as { written: number }).written).toBeGreaterThan(0);
    }
  });

  it.each(['text/csv', 'application/x-ndjson'])('is counted by a feed of %s', async (type) => {
    const id = type.replaceAll(/\W/g, '');
    const units = type.length;
    const rows = CODES.map((code) =>
      type === 'text/csv'
        ? `${quoted(code.normalize('NFD'))},${code.includes('"') || code.includes(',') ? quoted(code) : code},${units}`
        : JSON.stringify({ sku: code.normalize('NFD'), node: ` ${code}`, quantity: units }),
    );
    const body = [...(type === 'text/csv' ? ['sku,node,quantity'] : []), ...rows].join('\n');
    const query = { id, source: 'erp', mode: 'reset', measure: 'physical', capturedAt: new Date().toISOString() };
    await app.http('sendFeed', { query, body, headers: { 'content-type': type } });
    const feed = await eventually(async () => {
      const { state, rows } = (await app.http('getFeed', { params: { id } })).body as Feed;
      return state === 'done' ? rows : undefined;
    });
    expect(feed).toMatchObject({ received: CODES.length, refused: 0 });
    for (const sku of CODES) {
      const { body } = await app.http('getStock', { params: { sku } });
      expect((body as StockOfSku).rows).toMatchObject([{ node: sku, onHand: units }]);
    }
  });

  it('is in the key and the id of its facts, a count’s too, in headers of visible ASCII', async () => {
    const manager = await jetstreamManager(app.caller, { checkAPI: false });
    const { written } = (await app.http('countEvents')).body as { written: number };
    const { last_seq } = await eventually(async () => {
      const { state } = await manager.streams.info(STOCK_STREAM.name);
      return state.messages >= written ? state : undefined;
    });
    const keys = new Set<string>();
    const counted = new Set<string>();
    const ids: string[] = [];
    for (let seq = 1; seq <= last_seq; seq += 1) {
      const message = await manager.streams.getMessage(STOCK_STREAM.name, { seq });
      if (!message) continue;
      const fact = parseMessage({ subject: message.subject, headers: message.header, data: message.data });
      expect(message.header.get('ce-partitionkey')).toMatch(/^[!-~]+$/);
      expect(fact.id).toMatch(/^[!-~]+$/);
      ids.push(fact.id);
      if (fact.type === ROWS_COUNTED) {
        const { source, node } = fact.data as RowsCounted;
        expect(readFactKey(fact.key)).toEqual(['count', source, node]);
        counted.add(node);
        continue;
      }
      const { sku } = fact.data as { sku: string };
      expect(readFactKey(fact.key)).toEqual(['sku', sku]);
      keys.add(sku);
    }
    expect(keys).toEqual(new Set(CODES));
    expect(counted).toEqual(new Set(CODES));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

it('an address with a code that is far too long is refused with a problem document', async () => {
  expect(await app.fetch('GET', `/v1/stock/${'x'.repeat(2_000)}`)).toMatchObject({
    status: 400,
    contentType: 'application/problem+json',
    body: { code: 'request.invalid' },
  });
});

const SUPERSTORE = join(
  process.env['ONEPOOL_DATA'] ?? fileURLToPath(new URL('../../../../../shared/data', import.meta.url)),
  'orders/superstore_us/superstore.dev.csv.gz',
);
const itWithData = existsSync(SUPERSTORE) ? it : it.skip;

itWithData(`948 names that a shop gave to its goods are codes (skipped where ${SUPERSTORE} is absent)`, async () => {
  const rows: Record<string, string>[] = parse(gunzipSync(readFileSync(SUPERSTORE)), { columns: true });
  const names = [...new Set(rows.map((row) => row['Product Name'] ?? ''))].slice(0, 948);
  const body = ['sku', ...names.map(quoted)].join('\n');
  expect(await app.http('importSkus', { body, headers: CSV })).toMatchObject({ body: { applied: 948 } });
  const told = new Set((await pagesOf('listSkus', 100)).map(({ sku }) => sku));
  expect(names.filter((name) => !told.has(readCode(name)))).toEqual([]);
});
