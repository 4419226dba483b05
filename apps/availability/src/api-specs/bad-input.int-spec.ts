import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AVAILABILITY_OPERATIONS } from '@onepool/contracts';
import { checkProblem, operationOf, problemOf } from '../testing/answer.ts';
import { type AppFixture, type Call, type OperationId, createAppFixture } from '../testing/app-fixture.ts';
import { keyOfPerson } from '../testing/key-of-person.ts';
import { putNetwork, receive } from '../testing/network.ts';
import { samplesOf } from '../testing/samples.ts';

let app: AppFixture;
/** Of a person who may do everything that only persons may. */
let key: string;
beforeAll(async () => {
  app = await createAppFixture();
  key = await keyOfPerson(app, ['all', 'feeds:approve']);
  await putNetwork(app, ['a', 'b', 'c']);
  await receive(app, 'a', { 'wh-1': 10 });
  for (const id of ['held', 'kept']) await app.http('hold', { body: hold({ id }) });
});
afterAll(() => app.close());

const edges = [
  ['HTTP', 'http'],
  ['NATS', 'rpc'],
] as const;
const hold = (changes: object): object => ({
  id: 'bad',
  channel: 'web',
  lines: [{ sku: 'a', quantity: 1 }],
  ...changes,
});
const line = (changes: object): object => hold({ lines: [{ sku: 'a', quantity: 1, ...changes }] });
const movement = (changes: object): object => ({
  id: 'bad',
  source: 'pos',
  movements: [{ type: 'sale', sku: 'a', node: 'wh-1', quantity: 1, ...changes }],
});
const moved = (changes: object): object => ({ ...movement({}), ...changes });
const verb = (changes: object): Call => ({ params: { id: 'held' }, body: { commandId: 'bad', ...changes } });
const invalid = (...errors: string[]) => ({ status: 400, code: 'request.invalid', errors });
const unknown = (noun: string) => ({ status: 404, code: `${noun}.unknown`, errors: [] });
const part = (changes: object): object => ({ lines: [{ sku: 'a', node: 'wh-1', quantity: 1, ...changes }] });
const allocate = (...groups: object[][]): Call => ({
  body: { commandId: 'bad', groups: groups.map((reservations) => ({ reservations })) },
});
const moves = (changes: object, more: object = {}): object => ({
  id: 'held',
  expectedVersion: 1,
  moves: [{ sku: 'a', quantity: 1, from: { node: 'wh-1' }, to: { node: 'wh-2' }, ...changes }],
  ...more,
});

/** What is wrong, the operation, the call, and the answer. */
type Refused = readonly [string, OperationId, Call, ReturnType<typeof problemOf>];
const refusals: readonly Refused[] = [
  ['an unknown SKU in a hold', 'hold', { body: line({ sku: 'nope' }) }, unknown('sku')],
  ['an unknown node in a hold', 'hold', { body: hold({ nodes: ['nope'] }) }, unknown('node')],
  ['an unknown channel in a hold', 'hold', { body: hold({ channel: 'nope' }) }, unknown('channel')],
  ['an unknown SKU in a movement', 'recordMovements', { body: movement({ sku: 'nope' }) }, unknown('sku')],
  ['an unknown node in a movement', 'recordMovements', { body: movement({ node: 'nope' }) }, unknown('node')],
  [
    'an unknown destination of a transfer',
    'recordMovements',
    { body: movement({ type: 'transfer', toNode: 'nope' }) },
    unknown('node'),
  ],
  ['an unknown SKU in ATP', 'getAtp', { params: { sku: 'nope' }, query: { channel: 'web' } }, unknown('sku')],
  ['an unknown channel in ATP', 'getAtp', { params: { sku: 'a' }, query: { channel: 'nope' } }, unknown('channel')],
  ['an unknown node in ATP', 'queryAtp', { body: { channel: 'web', skus: ['a'], nodes: ['nope'] } }, unknown('node')],
  ['an unknown SKU in a stock read', 'getStock', { params: { sku: 'nope' } }, unknown('sku')],
  ['an unknown reservation', 'getReservation', { params: { id: 'nope' } }, unknown('reservation')],
  ['a verb on an unknown reservation', 'confirm', { ...verb({}), params: { id: 'nope' } }, unknown('reservation')],
  ['an unknown SKU in a part', 'release', verb(part({ sku: 'nope' })), unknown('sku')],
  ['an unknown node in a part', 'fulfil', verb(part({ node: 'nope' })), unknown('node')],
  ['units that are not confirmed', 'fulfil', verb({}), { status: 409, code: 'reservation.not_confirmed', errors: [] }],
  [
    'more units than are held',
    'release',
    verb(part({ quantity: 2 })),
    { status: 409, code: 'reservation.not_held', errors: [] },
  ],
  [
    'an unknown node in a channel',
    'putChannels',
    { body: { channels: [{ channel: 'x', type: 'web', nodes: ['nope'] }] } },
    unknown('node'),
  ],
  [
    'an unknown SKU in a threshold',
    'putThresholds',
    { body: { thresholds: [{ scope: 'node', sku: 'nope', quantity: 1 }] } },
    unknown('sku'),
  ],
  ...[
    ['zero', 0, 'out_of_range'],
    ['negative', -1, 'out_of_range'],
    ['fractional', 1.5, 'wrong_type'],
    ['huge', 1_000_001, 'out_of_range'],
    ['enormous', 1e300, 'out_of_range'],
    ['textual', '1', 'wrong_type'],
    ['absent', null, 'wrong_type'],
  ].flatMap(([kind, quantity, error]) => [
    [`a quantity in a hold that is ${kind}`, 'hold', { body: line({ quantity }) }, invalid(String(error))] as const,
    [
      `a quantity in a movement that is ${kind}`,
      'recordMovements',
      { body: movement({ quantity }) },
      invalid(String(error)),
    ] as const,
    [`a quantity in a part that is ${kind}`, 'release', verb(part({ quantity })), invalid(String(error))] as const,
    [
      `a quantity in a move that is ${kind}`,
      'allocate',
      allocate([moves({ quantity })]),
      invalid(String(error)),
    ] as const,
  ]),
  [
    'an adjustment by zero',
    'recordMovements',
    { body: movement({ type: 'adjustment', quantity: 0 }) },
    invalid('wrong_type'),
  ],
  [
    'an adjustment by a huge quantity',
    'recordMovements',
    { body: movement({ type: 'adjustment', quantity: -1_000_001 }) },
    invalid('out_of_range'),
  ],
  ['an unknown field', 'hold', { body: hold({ colour: 'red' }) }, invalid('unknown_field')],
  ['an unknown field in a line', 'hold', { body: line({ colour: 'red' }) }, invalid('unknown_field')],
  [
    'an unknown field in a movement',
    'recordMovements',
    { body: movement({ toNode: 'wh-2' }) },
    invalid('unknown_field'),
  ],
  ['an unknown field in a verb', 'confirm', verb({ force: true }), invalid('unknown_field')],
  ['an unknown field in a move', 'allocate', allocate([moves({ pin: 'f' })]), invalid('unknown_field')],
  ['a part that names nothing of its units', 'release', verb({ lines: [{ quantity: 1 }] }), invalid('out_of_range')],
  ['a line id with a space', 'hold', { body: line({ id: 'a b' }) }, invalid('pattern')],
  ['a fulfilment with a slash', 'fulfil', verb({ lines: [{ fulfilment: 'a/b', quantity: 1 }] }), invalid('pattern')],
  ['a move that says of no node whether it is one', 'allocate', allocate([moves({ from: {} })]), invalid('missing')],
  ['an allocation of nothing', 'allocate', allocate(), invalid('out_of_range')],
  ['a group without reservations', 'allocate', allocate([]), invalid('out_of_range')],
  ['a reservation without moves', 'allocate', allocate([moves({}, { moves: [] })]), invalid('out_of_range')],
  [
    'a reservation of no version',
    'allocate',
    allocate([moves({}, { expectedVersion: undefined })]),
    invalid('missing'),
  ],
  [
    'two lines of one id',
    'hold',
    { body: hold({ lines: ['x', 'x'].map((id) => ({ id, sku: 'a', quantity: 1 })) }) },
    { status: 422, code: 'line.duplicate', errors: [] },
  ],
  [
    'two lines of one id, one of which is its place',
    'hold',
    {
      body: hold({
        lines: [
          { id: '2', sku: 'a', quantity: 1 },
          { sku: 'a', quantity: 1 },
        ],
      }),
    },
    { status: 422, code: 'line.duplicate', errors: [] },
  ],
  [
    'an unknown field in a query',
    'getAtp',
    { params: { sku: 'a' }, query: { channel: 'web', force: 'x' } },
    invalid('unknown_field'),
  ],
  ['an unknown type of movement', 'recordMovements', { body: movement({ type: 'gift' }) }, invalid('wrong_type')],
  ['no lines', 'hold', { body: hold({ lines: [] }) }, invalid('out_of_range')],
  [
    'too many lines',
    'hold',
    { body: hold({ lines: Array(2_001).fill({ sku: 'a', quantity: 1 }) }) },
    invalid('out_of_range'),
  ],
  ['a missing id', 'hold', { body: hold({ id: undefined }) }, invalid('missing')],
  ['a missing channel in ATP', 'getAtp', { params: { sku: 'a' } }, invalid('missing')],
  ['a code of spaces', 'hold', { body: line({ sku: '  ' }) }, invalid('pattern')],
  ['a code without anything', 'hold', { body: line({ sku: '' }) }, invalid('out_of_range')],
  ['a code with a line end', 'hold', { body: line({ sku: 'a\nb' }) }, invalid('pattern')],
  ['a code that runs from right to left', 'hold', { body: line({ sku: 'a\u202eb' }) }, invalid('pattern')],
  ['a code that is a directory', 'hold', { body: line({ sku: '..' }) }, invalid('pattern')],
  ['a code that is too long', 'getStock', { params: { sku: 'x'.repeat(256) } }, invalid('out_of_range')],
  ['a code that is much too long', 'hold', { body: line({ sku: 'x'.repeat(9_000) }) }, invalid('out_of_range')],
  ['an id with a space', 'hold', { body: hold({ id: 'a b' }) }, invalid('pattern')],
  [
    'a flag that is none',
    'getAtp',
    { params: { sku: 'a' }, query: { channel: 'web', byNode: 'yes' } },
    invalid('wrong_type'),
  ],
  ['a hold that would last five hours', 'hold', { body: hold({ expiresInSeconds: 18_000 }) }, invalid('out_of_range')],
  ...['onepool', 'OnePool', 'onepool.feed', 'onepool-x'].map((source): Refused => [
    `the source ${source}, which is the engine's own`,
    'recordMovements',
    { body: { ...moved({}), source } },
    { status: 422, code: 'source.reserved', errors: [] },
  ]),
  ['a leap second', 'recordMovements', { body: moved({ occurredAt: '2016-12-31T23:59:60Z' }) }, invalid('pattern')],
  [
    'a day that does not exist',
    'recordMovements',
    { body: moved({ occurredAt: '2026-02-30T00:00:00Z' }) },
    invalid('pattern'),
  ],
  [
    'a time without an offset',
    'putNodes',
    { body: { nodes: [{ node: 'x', type: 'store', activeFrom: '2026-01-01T00:00:00' }] } },
    invalid('pattern'),
  ],
  [
    'a time whose instant is beyond the year 9999',
    'putNodes',
    { body: { nodes: [{ node: 'x', type: 'store', activeTo: '9999-12-31T23:59:59-14:00' }] } },
    invalid('pattern'),
  ],
  [
    'a time whose instant is before the year 0',
    'recordMovements',
    { body: moved({ occurredAt: '0000-01-01T00:00:00+14:00' }) },
    invalid('pattern'),
  ],
  [
    'more damaged than there are',
    'recordMovements',
    { body: movement({ type: 'damage', quantity: 1_000 }) },
    { status: 409, code: 'movement.exceeds_stock', errors: [] },
  ],
  [
    'the key __proto__',
    'hold',
    { body: '{"id":"p","channel":"web","lines":[],"__proto__":{"x":1}}' },
    invalid('forbidden_key'),
  ],
  [
    'the key __proto__ in a line',
    'hold',
    { body: '{"id":"p","channel":"web","lines":[{"__proto__":1}]}' },
    invalid('forbidden_key'),
  ],
  ['the key __proto__ spelt with an escape', 'hold', { body: '{"\\u005f_proto__":1}' }, invalid('forbidden_key')],
  ['the key constructor', 'recordMovements', { body: '{"constructor":{"prototype":{}}}' }, invalid('forbidden_key')],
  ['an escaped NUL in a code', 'hold', { body: '{"id":"p\\u0000","channel":"web","lines":[]}' }, invalid('nul_byte')],
  ['an escaped NUL in a free text', 'recordMovements', { body: movement({ reason: 'x\0y' }) }, invalid('nul_byte')],
  ['an escaped NUL in a key', 'hold', { body: '{"a\\u0000":1}' }, invalid('nul_byte')],
  ['a raw NUL', 'hold', { body: Buffer.from('{"id":"p\0"}') }, invalid('nul_byte')],
  ['a raw NUL between members', 'hold', { body: Buffer.from('{"id":"p",\0"x":1}') }, invalid('nul_byte')],
  ['half a surrogate pair', 'recordMovements', { body: '{"reason":"\\ud800"}' }, invalid('lone_surrogate')],
  ['what is not JSON', 'hold', { body: '{"id":' }, { status: 400, code: 'request.malformed_json', errors: [] }],
  [
    'what is not UTF-8',
    'hold',
    { body: Buffer.from([0x22, 0xff, 0x22]) },
    { status: 400, code: 'request.malformed_json', errors: [] },
  ],
  ['a body that is null', 'hold', { body: 'null' }, invalid('wrong_type')],
  ['a body that is a list', 'recordMovements', { body: '[]' }, invalid('wrong_type')],
  [
    'a body over 1 MB',
    'hold',
    { body: hold({ id: 'x'.repeat(1_048_577) }) },
    { status: 413, code: 'request.too_large', errors: [] },
  ],
];

describe.each(edges)('over %s', (_, edge) => {
  it.each(refusals)('%s is refused with its own code', async (_what, id, call, expected) => {
    expect(problemOf(await app[edge](id, call))).toEqual(expected);
  });

  it.each<[string, object[], number, string]>([
    ['an unknown node', [moves({ to: { node: 'nope' } })], 404, 'node.unknown'],
    ['an unknown SKU', [moves({ sku: 'nope' })], 404, 'sku.unknown'],
    ['an unknown reservation', [moves({}, { id: 'nope' })], 404, 'reservation.unknown'],
    ['a reservation that it names twice', [moves({}), moves({})], 422, 'reservation.duplicate'],
    ['a stale version', [moves({}, { expectedVersion: 7 })], 409, 'reservation.conflict'],
    ['units that are not there', [moves({ from: { node: 'wh-2' } })], 409, 'reservation.units_missing'],
    [
      'units that nobody works on',
      [moves({ from: { node: 'wh-1', fulfilment: 'f' } })],
      409,
      'reservation.units_missing',
    ],
    ['a node that has no units', [moves({})], 409, 'stock.insufficient'],
  ])('a group of moves is refused for %s, and answered by itself', async (_what, group, status, code) => {
    const { body } = await app[edge]('allocate', { body: { ...(allocate(group).body as object), commandId: code } });
    expect(body).toEqual({ commandId: code, groups: [{ problem: expect.objectContaining({ status, code }) }] });
  });

  it.each([
    ['a hold', 'hold', { body: hold({ id: 'once' }) }, { body: hold({ id: 'once', channel: 'pos' }) }],
    ['a movement', 'recordMovements', { body: moved({ id: 'kept' }) }, { body: moved({ id: 'kept', source: 'wms' }) }],
    [
      'a verb',
      'extend',
      { ...verb({ commandId: 'x', expiresInSeconds: 60 }), params: { id: 'kept' } },
      { ...verb({ commandId: 'x', expiresInSeconds: 61 }), params: { id: 'kept' } },
    ],
  ] as const)(
    'the key of %s with another body is refused, and the first effect stays',
    async (_what, id, first, other) => {
      const done = await app[edge](id, first);
      expect(done.status).toBeLessThan(300);
      expect(problemOf(await app[edge](id, other))).toEqual({ status: 409, code: 'idempotency.mismatch', errors: [] });
      expect((await app[edge](id, first)).body).toEqual(done.body);
    },
  );

  it('lists every fault of a small body by its JSON pointer', async () => {
    const answer = await app[edge]('hold', { body: { id: 'f', lines: [{ sku: 'a', quantity: 0, x: 1 }] } });
    expect((answer.body as { errors: unknown }).errors).toEqual(
      expect.arrayContaining([
        { path: '/channel', code: 'missing', message: expect.any(String) },
        { path: '/lines/0/quantity', code: 'out_of_range', message: expect.any(String) },
        { path: '/lines/0/x', code: 'unknown_field', message: expect.any(String) },
      ]),
    );
  });

  it('stock beyond four bytes is counted to the unit', async () => {
    const sku = edge === 'http' ? 'b' : 'c';
    const receipt = { type: 'receipt', sku, node: 'wh-2', quantity: 1_000_000 };
    const flood = (id: string): Call => ({ body: { id, source: 'wms', movements: Array(2_000).fill(receipt) } });
    for (const id of [`${edge}-1`, `${edge}-2`])
      expect((await app[edge]('recordMovements', flood(id))).status).toBe(201);
    expect((await app[edge]('getStock', { params: { sku } })).body).toMatchObject({
      rows: [{ onHand: 4_000_000_000 }],
    });
  });
});

const sampleOf = (schema: object | undefined) => (schema === undefined ? {} : (samplesOf(schema)[0] as object));

/** A call that is valid by the contract. */
function validCall(id: OperationId): Call {
  const { params, query, body } = operationOf(id);
  return { params: sampleOf(params), query: sampleOf(query), ...(body ? { body: sampleOf(body) } : {}) } as Call;
}

describe('a member that nobody knows, with everything else valid', () => {
  const ids = Object.keys(AVAILABILITY_OPERATIONS) as OperationId[];
  const unknownMember = [{ path: '/nobodyKnows', code: 'unknown_field', message: expect.any(String) }];

  it.each(ids)('in the query is refused by %s, and it alone', async (id) => {
    const call = validCall(id);
    const csv = operationOf(id).body ? {} : { body: 'sku\na\n', headers: { 'content-type': 'text/csv' } };
    const query = { ...(call.query as object), nobodyKnows: '1' };
    const isGet = operationOf(id).http.method === 'GET';
    const { body } = await app.http(id, { key, ...call, ...(isGet ? {} : csv), query });
    expect((body as { errors: unknown }).errors).toEqual(unknownMember);
  });

  const withBody = ids.filter((id) => operationOf(id).body !== undefined);
  it.each(withBody)('in the body is refused by %s, and it alone', async (id) => {
    const call = validCall(id);
    const { body } = await app.http(id, { ...call, body: { ...(call.body as object), nobodyKnows: 1 } });
    expect((body as { errors: unknown }).errors).toEqual(unknownMember);
  });

  const overNats = ids.filter((id) => operationOf(id).subject !== undefined);
  it.each(overNats)('in the message is refused by %s, and it alone', async (id) => {
    const call = validCall(id);
    const { body } = await app.rpc(id, { ...call, body: { ...(call.body as object), nobodyKnows: 1 } });
    expect((body as { errors: unknown }).errors).toEqual(unknownMember);
  });
});

describe('over HTTP only', () => {
  it.each([
    ['a NUL in the path', 'GET', '/v1/stock/a%00', invalid('nul_byte')],
    ['a NUL in the query', 'GET', '/v1/atp/a?channel=web%00', invalid('nul_byte')],
    ['a NUL in a cursor', 'GET', '/v1/skus?cursor=%00', invalid('nul_byte')],
    ['__proto__ in the query', 'GET', '/v1/skus?__proto__=1', invalid('forbidden_key')],
    ['a broken escape in the path', 'GET', '/v1/stock/%zz', invalid()],
    ['a repeated parameter', 'GET', '/v1/skus?limit=1&limit=2', invalid('wrong_type')],
    ['a page of nothing', 'GET', '/v1/skus?limit=0', invalid('out_of_range')],
    ['a limit in hexadecimal', 'GET', '/v1/skus?limit=0x10', invalid('wrong_type')],
    ['a cursor that no ledger gave', 'GET', '/v1/stock/a/ledger?cursor=99999999999999999999.1', invalid('pattern')],
    ['a cursor that no list of SKUs gave', 'GET', '/v1/skus?cursor=Li4', invalid('pattern')],
    ['a cursor that is not spelt as it was given', 'GET', '/v1/skus?cursor=YR', invalid('pattern')],
    ['a cursor that no list of exceptions gave', 'GET', '/v1/exceptions?cursor=1', invalid('pattern')],
    ['a cursor that no list of thresholds gave', 'GET', '/v1/thresholds?cursor=x', invalid('pattern')],
    ['a ledger of an unknown SKU', 'GET', '/v1/stock/nope/ledger', unknown('sku')],
    ['an unknown address', 'GET', '/v1/nope', { status: 404, code: 'request.not_found', errors: [] }],
    [
      'a method the address does not have',
      'GET',
      '/v1/movements',
      { status: 405, code: 'request.method_not_allowed', errors: [] },
    ],
  ] as const)('%s is refused', async (_what, method, path, expected) => {
    expect(problemOf(await app.fetch(method, path))).toEqual(expected);
  });

  it('a body that is not JSON by its content type is refused', async () => {
    const answer = await app.fetch('POST', '/v1/reservations', {
      body: 'x=1',
      headers: { 'content-type': 'text/xml' },
    });
    expect(problemOf(answer)).toMatchObject({ status: 415, code: 'request.unsupported_media_type' });
  });

  it('an empty body is no JSON', async () => {
    const answer = await app.http('hold', { body: '' });
    expect(problemOf(answer)).toEqual({ status: 400, code: 'request.malformed_json', errors: [] });
  });

  it('CSV where JSON belongs is refused by its content type', async () => {
    const answer = await app.fetch('POST', '/v1/reservations', {
      body: 'id\n1',
      headers: { 'content-type': 'text/csv' },
    });
    expect(problemOf(answer)).toMatchObject({ status: 415, code: 'request.unsupported_media_type' });
  });

  it('a raw NUL in the request line never reaches a handler', async () => {
    const { port, hostname } = new URL(app.origin);
    const socket = connect(Number(port), hostname);
    socket.end('GET /v1/stock/a\0 HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('after all of that', () => {
  it('nothing was applied, nothing was logged as our fault, and the process is well', async () => {
    const stock = await app.http('getStock', { params: { sku: 'a' } });
    expect(stock.body).toMatchObject({ rows: [{ node: 'wh-1', onHand: 9, reserved: 3 }] });
    expect((await app.http('verifyLedger', { body: {} })).body).toMatchObject({ balanced: true });
    // What cannot be parsed over NATS was answered, but Nest itself says so in the log as well.
    const ours = (entry: string): boolean =>
      /"level":"(error|fatal)"/.test(entry) && !entry.includes('MalformedRequest');
    expect(app.log.filter(ours)).toEqual([]);
    expect(checkProblem(await app.fetch('GET', '/nope'))).toBe('request.not_found');
  });
});

describe('over NATS only', () => {
  it('an empty message is no value where one is needed', async () => {
    expect(problemOf(await app.rpc('hold', { body: '' }))).toEqual(invalid('missing'));
  });
});
