/** What the compiler tells a caller. `tsc` fails where a line below an expected error has none. */
import { describe, expect, it } from '@jest/globals';
import type { NatsConnection } from '@nats-io/transport-node';
import { AVAILABILITY, type Reservation, type ReservationChanged, type SkuChanged } from '@onepool/contracts';
import type pg from 'pg';
import {
  type Client,
  type Fact,
  MemoryMirror,
  type MirrorStore,
  type NatsClient,
  consumeFacts,
  createClient,
  followSnapshots,
  valueOf,
} from './index.ts';
import { SHELVES } from './spec-support/shelves-app.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isSame = <_ extends true>(_value?: unknown): void => undefined;
const hold = { id: 'r-1', channel: 'web', lines: [{ sku: 'mug', quantity: 1 }] } as const;

/** Never run: nobody is there. */
async function calls(onepool: Client<typeof AVAILABILITY>, overNats: NatsClient<typeof AVAILABILITY>) {
  const held = await onepool.hold({ body: hold });
  if (held.ok) isSame<Same<typeof held.value, Reservation>>();
  else {
    isSame<'stock.insufficient' extends typeof held.problem.code ? true : false>();
    isSame<'service.unavailable' extends typeof held.problem.code ? true : false>();
    // @ts-expect-error -- a hold is not refused so
    isSame<'reservation.conflict' extends typeof held.problem.code ? true : false>();
  }
  isSame<Same<ReturnType<typeof valueOf<Reservation>>, Reservation>>();

  await onepool.listSkus();
  await onepool.listSkus({ query: { limit: 5 } });
  await onepool.getAtp({ params: { sku: 'mug' }, query: { channel: 'web' } });
  await onepool.importSkus({ body: 'sku\nmug\n' });
  await overNats.hold({ body: hold });

  // @ts-expect-error -- a body is asked for
  await onepool.hold();
  // @ts-expect-error -- a member is missing
  await onepool.hold({ body: { id: 'r-1', channel: 'web' } });
  // @ts-expect-error -- a member is unknown
  await onepool.hold({ body: { ...hold, colour: 'red' } });
  // @ts-expect-error -- a parameter of the path is missing
  await onepool.getAtp({ query: { channel: 'web' } });
  // @ts-expect-error -- the query is asked for, since a member of it is
  await onepool.getAtp({ params: { sku: 'mug' } });
  // @ts-expect-error -- it has no body
  await onepool.listSkus({ body: {} });
  // @ts-expect-error -- a CSV is text or bytes
  await onepool.importSkus({ body: { skus: [] } });
  // @ts-expect-error -- a stream says what it is
  await onepool.sendFeed({
    query: { id: 'f', source: 'wms', mode: 'reset', measure: 'physical', capturedAt: '' },
    body: '',
  });
  // @ts-expect-error -- there is no such operation
  await onepool.steal({});
  // @ts-expect-error -- imports are not offered over NATS
  await overNats.importSkus({ body: '' });
}

/** Never run, either. */
const consumers = (connection: NatsConnection, pool: pg.Pool) => [
  consumeFacts(AVAILABILITY, {
    connection,
    durable: 'd',
    on: {
      skuChanged: async ({ data }) => isSame<Same<typeof data, SkuChanged>>(data),
      reservation_expired: async ({ data }) => isSame<Same<typeof data, ReservationChanged>>(data),
    },
  }),
  consumeFacts(AVAILABILITY, {
    connection,
    durable: 'd',
    inbox: { pool, schema: 's' },
    on: { promiseBroken: async ({ data }, client) => void (await client.query('', [data.sku])) },
  }),
  // @ts-expect-error -- there is no such fact
  consumeFacts(AVAILABILITY, { connection, durable: 'd', on: { skuStolen: async () => undefined } }),
  // @ts-expect-error -- without an inbox there is no client
  consumeFacts(AVAILABILITY, {
    connection,
    durable: 'd',
    on: {
      skuChanged: async (_: Fact<SkuChanged>, client: pg.PoolClient) => void client,
    },
  }),
];

/** Nor is this. */
const mirrors = async (connection: NatsConnection, client: Client<typeof SHELVES>) => {
  const into = new MemoryMirror(SHELVES);
  const options = { connection, client, durable: 'd', module: 'shelves', into } as const;
  isSame<Same<ReturnType<typeof into.get<'shelves'>>, { units: number } | undefined>>();
  // @ts-expect-error -- there are no such things
  into.get('boxes', 'b1');
  // @ts-expect-error -- there is no such module
  followSnapshots(SHELVES, { ...options, module: 'others' });
  // @ts-expect-error -- a client of another app has not got the pages
  followSnapshots(SHELVES, { ...options, client: {} as Client<typeof AVAILABILITY> });
  // @ts-expect-error -- the store is of other things
  followSnapshots(SHELVES, { ...options, into: {} as MirrorStore<{ readonly boxes: string }> });
  return followSnapshots(SHELVES, options);
};

describe('the types of a client', () => {
  it('are the contract’s: see above', () => {
    expect([calls, consumers, mirrors].map((never) => typeof never)).toEqual(['function', 'function', 'function']);
  });

  it('do not let a contract’s operation take the place of what every client has', () => {
    const { getStock } = AVAILABILITY.operations;
    const contract = { ...AVAILABILITY, operations: { close: getStock } };
    const nats = {} as NatsConnection;
    expect(() => createClient(contract, { nats, apiKey: 'k' })).toThrow('has an operation `close`');
  });
});
