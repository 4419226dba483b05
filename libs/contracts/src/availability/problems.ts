/** Problem codes of the availability app, besides the platform's. */
import { CATALOG_PROBLEMS } from '../catalog/problems.ts';
import type { ProblemDefinition } from '../shared/app-contract.ts';

export const AVAILABILITY_PROBLEMS = {
  ...CATALOG_PROBLEMS,
  'stock.insufficient': { status: 409, title: 'Not enough units to promise', retryable: true },
  'node.forbidden': { status: 403, title: 'The key is not for work at this node', retryable: false },
  'channel.forbidden': { status: 403, title: 'The key is not for selling in this channel', retryable: false },
  'reservation.taken': { status: 409, title: 'Somebody else has made a reservation with this id', retryable: false },
  'reservation.unknown': { status: 404, title: 'No such reservation', retryable: false },
  'reservation.expired': { status: 409, title: 'The hold has expired', retryable: false },
  'reservation.not_held': { status: 409, title: 'The units are not held', retryable: false },
  'reservation.not_confirmed': { status: 409, title: 'The units are not confirmed', retryable: false },
  'reservation.conflict': { status: 409, title: 'The reservation has changed since', retryable: false },
  'reservation.units_missing': { status: 409, title: 'The reservation has fewer such units', retryable: false },
  'reservation.duplicate': { status: 422, title: 'A group names a reservation twice', retryable: false },
  'allocation.too_large': { status: 422, title: 'More reservations or moves than one request may have', retryable: false },
  'line.duplicate': { status: 422, title: 'Two lines have the same id', retryable: false },
  'movement.exceeds_stock': { status: 409, title: 'More units than there are', retryable: true },
  'movement.out_of_range': { status: 422, title: 'More units than a balance can hold', retryable: false },
  'idempotency.mismatch': { status: 409, title: 'The id was used with another body', retryable: false },
  'source.reserved': {
    status: 422,
    title: 'The name of the source is reserved for the system itself',
    retryable: false,
  },
  'version.not_reached': {
    status: 409,
    title: 'The version has not been reached',
    retryable: true,
    retryAfterSeconds: 1,
  },
  'ledger.too_long': { status: 503, title: 'The ledger of one SKU takes too long to add up', retryable: false },
  'feed.unknown': { status: 404, title: 'No such feed', retryable: false },
  'feed.too_large': { status: 413, title: 'The feed is larger than any may be', retryable: false },
  'feed.not_gzip': { status: 400, title: 'The body cannot be decompressed', retryable: false },
  'feed.header_invalid': { status: 422, title: 'The first line does not name the columns', retryable: false },
  'feed.incomplete': { status: 422, title: 'The body is no whole count', retryable: false },
  'feed.rows_differ': { status: 422, title: 'Another number of rows than expected', retryable: false },
  'feed.not_waiting': { status: 409, title: 'The feed does not wait for approval', retryable: false },
  'feed.superseded': { status: 409, title: 'Another upload with this id has begun', retryable: false },
} as const satisfies Record<string, ProblemDefinition>;
