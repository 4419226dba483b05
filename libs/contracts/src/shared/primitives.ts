/** Building blocks of every contract: codes, quantities, times and the shapes that repeat. */
import { type Static, type TSchema, Type } from '@sinclair/typebox';

/** Units of stock on one request line; integers only. */
export const QUANTITY_UNITS_MAX = 1_000_000;
/** Lines in one reservation, movement batch or query. */
export const LINES_MAX = 2_000;
/** A hold lives at most four hours; longer promises are confirmed reservations. */
export const EXPIRES_IN_SECONDS_MAX = 14_400;
export const EXPIRES_IN_SECONDS_DEFAULT = 900;

const code = (description: string) =>
  Type.String({
    printable: 'code',
    minLength: 1,
    maxLength: 255,
    description: `${description} Any printable text but \`.\` and \`..\`, without control or format characters. White space around it is dropped, and it is put into Unicode's normal form C. In an address it is percent-encoded.`,
  });

export const SkuCode = code('SKU: one sellable variant, as the retailer names it; case-sensitive.');
export const NodeCode = code('Node: a place that can fulfil.');
export const ChannelCode = code('Channel: a place that sells.');
/** How codes begin, or ids. */
export const CodePrefix = Type.String({ printable: 'prefix', minLength: 1, maxLength: 255 });
/** Chosen by the client; it is the idempotency key, scoped to the API client. */
export const ClientChosenId = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$',
  maxLength: 64,
  description: 'Chosen by the client. It is the idempotency key of the request, per API client.',
});

/** A person or a service that may call. */
export const PrincipalId = Type.String({
  pattern: '^prn_[a-z2-7]{12}$',
  description: 'A principal: a person or a service.',
});

export const Quantity = Type.Integer({ minimum: 1, maximum: QUANTITY_UNITS_MAX, description: 'Units.' });
/** Units in answers and facts, where lines were summed: no request's limit applies. */
export const PositiveUnits = Type.Integer({ minimum: 1, description: 'Units.' });
/** Units that may leave or arrive; 0 would say nothing. */
export const SignedQuantity = (description: string) =>
  Type.Integer({ minimum: -QUANTITY_UNITS_MAX, maximum: QUANTITY_UNITS_MAX, not: { const: 0 }, description });
export const UnitCount = Type.Integer({ minimum: 0, description: 'Units.' });
export const Version = Type.Integer({ minimum: 0, description: 'Counts the changes of one SKU; gap-free.' });
/**
 * Stricter than RFC 3339, whose leap seconds and lower-case letters not every platform can read, and of this century. The
 * format is checked by the platform's `readTime`, which tells why.
 */
export const Timestamp = Type.String({
  format: 'date-time',
  maxLength: 35,
  description:
    'RFC 3339 with offset, from 2000-01-01 to 2099-12-31 in UTC; a real date, no leap second. Answers are in UTC.',
});
export const ShortText = Type.String({ minLength: 1, maxLength: 200 });
export const Latitude = Type.Number({ minimum: -90, maximum: 90 });
export const Longitude = Type.Number({ minimum: -180, maximum: 180 });

/** A problem document within an answer, of the part of a request that was refused, with one of these codes. */
export const problemInAnswer = (codes: readonly string[]) =>
  Type.Object(
    {
      type: Type.String(),
      title: Type.String(),
      status: Type.Integer(),
      code: Type.Unsafe<string>({ type: 'string', enum: [...codes] }),
      retryable: Type.Boolean(),
    },
    { additionalProperties: true, description: 'RFC 9457, with the members of its code.' },
  );
export type ProblemInAnswer = Static<ReturnType<typeof problemInAnswer>>;

/** An object that refuses members it does not know. */
export const closed = <P extends Record<string, TSchema>>(
  properties: P,
  options: { description?: string; minProperties?: number } = {},
) => Type.Object(properties, { additionalProperties: false, ...options });

/** A union of string literals as one JSON Schema `enum`, so that messages can list what is allowed. */
export const oneOf = <const V extends readonly string[]>(values: V, description?: string) =>
  Type.Unsafe<V[number]>({ type: 'string', enum: [...values], ...(description ? { description } : {}) });

/** Of a list that asks for more than its page. */
export const pageMembers = (cursor: string, maxLength = 64) => ({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100 })),
  cursor: Type.Optional(
    Type.String({ maxLength, pattern: cursor, description: 'The `nextCursor` of the page before. Opaque.' }),
  ),
});
const pageQuery = (cursor: string, maxLength = 64) => closed(pageMembers(cursor, maxLength));

/** Each list refuses a cursor that it cannot have given; it would silently start anew, or ask the database for nonsense. */
export const PageQuery = pageQuery('^[A-Za-z0-9_-]{2,1360}$', 1_360);
export const ThresholdPageQuery = pageQuery('^\\d{1,9}$');
export const LedgerPageQuery = pageQuery('^\\d{1,15}\\.\\d{1,9}$');
export const ExceptionPageQuery = pageQuery('^exc_\\d{1,15}$');
export type PageQuery = Static<typeof PageQuery>;

export const pageOf = <T extends TSchema>(item: T) =>
  closed({ items: Type.Array(item), nextCursor: Type.Union([Type.String(), Type.Null()]) });
