/** The requests of `http.*`, the same for the app and the bare routes. */
import type autocannon from 'autocannon';
import { CHANNEL, newReservationId, skuCode } from '../contenders/contender.ts';
import { seeded } from '../measuring/seeded.ts';

export type Route = 'reserve' | 'read' | 'read100';
export const ROUTES: readonly Route[] = ['reserve', 'read', 'read100'];

/** Few, because autocannon builds each for every connection at the begin of a turn. */
const DIFFERENT_READS = 64;
const DIFFERENT_LISTS = 16;
const SKUS_PER_LIST = 100;
export const HOT_SKU = 1;

export const holdBody = (sku: number): string =>
  JSON.stringify({ id: newReservationId(), channel: CHANNEL, lines: [{ sku: skuCode(sku), quantity: 1 }] });

/** Reservations all ask for one hot SKU, each with its own id; reads go round a fixed set of random SKUs. */
export function requestsOf(route: Route, skus: number): autocannon.Request[] {
  const random = seeded(7);
  const anySku = (): string => skuCode(1 + random(skus));
  switch (route) {
    case 'reserve':
      return [
        {
          method: 'POST',
          path: '/v1/reservations',
          setupRequest: (request) => ({ ...request, body: holdBody(HOT_SKU) }),
        },
      ];
    case 'read':
      return Array.from({ length: DIFFERENT_READS }, () => ({
        method: 'GET' as const,
        path: `/v1/atp/${anySku()}?channel=${CHANNEL}`,
      }));
    case 'read100':
      return Array.from({ length: DIFFERENT_LISTS }, () => ({
        method: 'POST' as const,
        path: '/v1/atp/query',
        body: JSON.stringify({ channel: CHANNEL, skus: Array.from({ length: SKUS_PER_LIST }, anySku) }),
      }));
  }
}
