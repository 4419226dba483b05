/** Receipt policies and inspections as callers meet them, over HTTP and NATS. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Inspection, JudgedInspections, ReceiptResult } from '@onepool/contracts';
import { problemOf } from '../testing/answer.ts';
import { type Answer, type AppFixture, createAppFixture } from '../testing/app-fixture.ts';
import { type NodeName, putNetwork } from '../testing/network.ts';

let app: AppFixture;
beforeAll(async () => {
  app = await createAppFixture();
  await putNetwork(
    app,
    Array.from({ length: 20 }, (_, index) => `sku-${index}`),
  );
  const policies = [{ policy: 'returns', to: 'quality_control', nodes: ['wh-1', 'store-1'], reasons: ['return'] }];
  expect(await app.http('putReceiptPolicies', { body: { policies } })).toMatchObject({ status: 200 });
});
afterAll(() => app.close());

let used = 0;
/** The inspection of so many returned units of a SKU of its own. */
async function returned(quantity: number, node: NodeName = 'wh-1'): Promise<Inspection> {
  const sku = `sku-${used++}`;
  const body = { id: `grn-${sku}`, source: 'wms', reason: 'return', lines: [{ sku, node, quantity }] };
  const received = await app.http('receive', { body });
  expect((received.body as ReceiptResult).lines).toEqual([
    { over: 0, lost: 0, served: 0, toInspect: quantity, late: false },
  ]);
  const [inspection] = (await list({ sku })).items;
  return inspection!;
}
async function list(query: object, key = app.key): Promise<{ items: Inspection[]; nextCursor: string | null }> {
  return (await app.http('listInspections', { query: query as never, key })).body as never;
}
/** Codes of refused judgements, and open units of the others. */
const outcomesOf = ({ body }: Answer): unknown[] =>
  (body as JudgedInspections).results.map((result) => ('problem' in result ? result.problem.code : result.open));

describe.each([
  ['HTTP', 'http'],
  ['NATS', 'rpc'],
] as const)('an inspection over %s', (_, edge) => {
  it('is listed, read and judged, and a judgement that is sent again over the other edge is answered as before', async () => {
    const inspection = await returned(8);
    const { id, sku } = inspection;
    const hours = (Date.parse(inspection.dueAt) - Date.parse(inspection.openedAt)) / 3_600_000;
    expect(hours).toBe(48);
    expect((await app[edge]('getInspection', { params: { id } })).body).toEqual(inspection);
    expect((await app[edge]('listInspections', { query: { sku } })).body).toEqual({
      items: [inspection],
      nextCursor: null,
    });
    const body = { id: `look-${sku}`, judgements: [{ inspection: id, approved: 5, rejected: 1 }] };
    const judged = await app[edge]('judgeInspections', { body });
    const result = { inspection: id, sku, node: 'wh-1', approved: 5, rejected: 1, missing: 0, open: 2 };
    expect(judged.body).toMatchObject({ id: body.id, results: [result] });
    expect((await app[edge === 'http' ? 'rpc' : 'http']('judgeInspections', { body })).body).toEqual(judged.body);
    const { body: stock } = await app.http('getStock', { params: { sku } });
    expect(stock).toMatchObject({ rows: [{ node: 'wh-1', available: 5, damaged: 1, qualityControl: 2 }] });
  });

  it('is refused judgement by judgement, with what is open', async () => {
    const [first, second] = [await returned(3), await returned(3)];
    const judgements = [
      { inspection: first.id, approved: 2, rejected: 2 },
      { inspection: second.id, all: 'rejected' },
      { inspection: 'ins_987654321', all: 'approved' },
    ];
    const answer = await app[edge]('judgeInspections', { body: { id: `look-${first.sku}`, judgements } });
    expect(outcomesOf(answer)).toEqual(['inspection.exceeds_open', 0, 'inspection.unknown']);
    expect(answer.body).toMatchObject({ results: [{ problem: { status: 409, open: 3, retryable: false } }, {}, {}] });
    const other = { id: `look-${first.sku}`, judgements: judgements.slice(0, 2) };
    expect(problemOf(await app[edge]('judgeInspections', { body: other }))).toMatchObject({
      code: 'idempotency.mismatch',
    });
    expect(problemOf(await app[edge]('getInspection', { params: { id: 'ins_987654321' } }))).toMatchObject({
      code: 'inspection.unknown',
    });
  });

  it('is judged by keys with the scope for it, at their nodes, and shown to those that work there', async () => {
    const [here, there] = [await returned(2, 'store-1'), await returned(2, 'wh-1')];
    const key = await app.makeKey('inspector', ['stock:inspect', 'stock:read'], { nodes: ['store-1'] });
    const judgements = [here, there].map(({ id: inspection }) => ({ inspection, all: 'approved' }));
    const body = { id: `look-${here.sku}`, judgements };
    const receiver = await app.makeKey('receiver', ['stock:write', 'stock:read']);
    expect(problemOf(await app[edge]('judgeInspections', { body, key: receiver }))).toMatchObject({
      code: 'auth.forbidden',
    });
    expect(outcomesOf(await app[edge]('judgeInspections', { body, key }))).toEqual([0, 'node.forbidden']);
    expect((await list({ sku: there.sku }, key)).items).toEqual([]);
    expect(problemOf(await app[edge]('getInspection', { params: { id: there.id }, key }))).toMatchObject({
      code: 'inspection.unknown',
    });
    expect((await list({ sku: here.sku }, key)).items).toMatchObject([{ id: here.id, open: 0 }]);
  });
});

describe('a request about inspections', () => {
  it.each([
    ['without a judgement', []],
    ['of more than 500', Array.from({ length: 501 }, () => ({ inspection: 'ins_1', all: 'approved' }))],
    ['that says nothing of one', [{ inspection: 'ins_1' }]],
    ['that says two things of one', [{ inspection: 'ins_1', all: 'approved', approved: 1 }]],
    ['of what is no inspection', [{ inspection: 'exc_1', all: 'approved' }]],
    ['with a negative number', [{ inspection: 'ins_1', approved: -1 }]],
  ])('%s is invalid', async (_, judgements) => {
    const answer = await app.http('judgeInspections', { body: { id: 'wrong', judgements } });
    expect(problemOf(answer)).toMatchObject({ status: 400, code: 'request.invalid' });
  });

  it('pages through those that are open, at one node', async () => {
    const ids = [(await returned(1, 'store-1')).id, (await returned(1, 'store-1')).id];
    const query = { node: 'store-1', open: true, limit: 1 };
    const seen: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page: { items: Inspection[]; nextCursor: string | null } = await list({
        ...query,
        ...(cursor && { cursor }),
      });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(ids);
    expect((await list({ ...query, overdue: true })).items).toEqual([]);
    expect(problemOf(await app.http('listInspections', { query: { node: 'nowhere' } }))).toMatchObject({
      code: 'node.unknown',
    });
  });
});
