import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problemOf } from '../testing/answer.ts';
import { type AppFixture, createAppFixture } from '../testing/app-fixture.ts';

const SHOP = {
  node: 'shop',
  type: 'store',
  gln: '0614141000012',
  lat: 51.5,
  lng: -0.1,
  timeZone: 'Europe/London',
  fulfilmentTypes: 'all',
  activeFrom: '2026-01-01T00:00:00.000Z',
  activeTo: '2026-12-31T00:00:00.000Z',
};

let app: AppFixture;
beforeAll(async () => {
  app = await createAppFixture();
  expect(await app.http('putNodes', { body: { nodes: [SHOP] } })).toMatchObject({ status: 200 });
});
afterAll(() => app.close());

const stored = async (): Promise<unknown> =>
  ((await app.http('listNodes')).body as { items: { node: string }[] }).items.find(({ node }) => node === 'shop');

/** Each is told of a shop that is sound: what is wrong, in which member, and what has to be in the words. */
const FAULTS: readonly (readonly [string, object, string, string, RegExp])[] = [
  ['a time zone that nobody knows', { timeZone: 'Europe/Lodnon' }, 'timeZone', 'unknown_value', /Europe\/London/],
  ['a time zone in small letters', { timeZone: 'europe/paris' }, 'timeZone', 'unknown_value', /Europe\/Paris/],
  ['a distance for a time zone', { timeZone: '+0500' }, 'timeZone', 'unknown_value', /name of a time zone/],
  ['a GLN with a wrong check digit', { gln: '0614141000013' }, 'gln', 'check_digit', /is 2, not 3/],
  ['an end before the stored start', { activeTo: '2025-12-31T00:00:00Z' }, 'activeTo', 'out_of_range', /2026-01-01/],
  ['a start after the stored end', { activeFrom: '2027-01-01T00:00:00Z' }, 'activeTo', 'out_of_range', /2027-01-01/],
  ['an end that is its start', { activeTo: '2026-01-01T00:00:00Z' }, 'activeTo', 'out_of_range', /must be after/],
  ['a place whose length is taken away', { lng: null }, 'lng', 'missing', /lat is told and lng is not/],
  ['a place whose breadth is taken away', { lat: null }, 'lat', 'missing', /lng is told and lat is not/],
];

describe.each(['http', 'rpc'] as const)('over %s', (edge) => {
  it.each(FAULTS)('%s is refused with words that help', async (_what, change, member, code, words) => {
    const answer = await app[edge]('putNodes', { body: { nodes: [{ node: 'shop', ...change }] } });
    expect(problemOf(answer).code).toBe('request.invalid');
    const errors = [{ path: `/nodes/0/${member}`, code, message: expect.stringMatching(words) }];
    expect(answer.body).toMatchObject({ errors });
    expect(await stored()).toEqual(SHOP);
  });

  it.each(['96385074', '036000291452', '4006381333931', '10614141000415'])(
    'the GTIN %s is taken only with its check digit',
    async (gtin) => {
      const wrong = gtin.replace(/.$/, (digit) => String((Number(digit) + 1) % 10));
      const put = (told: string) => app[edge]('putSkus', { body: { skus: [{ sku: gtin, gtin: told }] } });
      expect((await put(gtin)).status).toBe(200);
      const message = expect.stringContaining(`is ${gtin.slice(-1)}, not ${wrong.slice(-1)}`);
      expect((await put(wrong)).body).toMatchObject({
        errors: [{ path: '/skus/0/gtin', code: 'check_digit', message }],
      });
    },
  );
});

describe('a file', () => {
  const send = (id: 'importNodes' | 'importSkus', body: string) =>
    app.http(id, { body, headers: { 'content-type': 'text/csv' } });

  it('names the lines of all that is not sound, and applies nothing', async () => {
    const lines = ['node,type,timeZone,lat,lng', 'a,store,Europe/Berlin,1,2', 'b,store,Berlin,1,2', 'c,store,UTC,1,'];
    const { body } = await send('importNodes', lines.join('\n'));
    expect(body).toMatchObject({ code: 'import.rejected', goodRows: 1, badRows: 2 });
    expect((body as { errors: { line: number; code: string; message: string }[] }).errors).toEqual([
      { line: 3, code: 'unknown_value', message: expect.stringMatching(/^timeZone: .*Europe\/Berlin$/) },
      { line: 4, code: 'missing', message: 'lng: a place has both: lat is told and lng is not' },
    ]);
  });

  it('with thousands of wrong rows finds words for those alone that it shows', async () => {
    const rows = Array.from({ length: 20_000 }, (_, index) => `n${index},store,Nowhere/Zone_${index}`);
    const { body } = await send('importNodes', ['node,type,timeZone', ...rows].join('\n'));
    expect(body).toMatchObject({ code: 'import.rejected', goodRows: 0, badRows: 20_000 });
    expect((body as { errors: unknown[] }).errors).toHaveLength(100);
  });
});
