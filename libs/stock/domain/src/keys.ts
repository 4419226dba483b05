/** Internal keys: small integers that stand for codes inside the engine; they never leave it. */
declare const brand: unique symbol;
type Key<Name extends string> = number & { readonly [brand]?: Name };

export type SkuKey = Key<'sku'>;
export type NodeKey = Key<'node'>;
export type ChannelKey = Key<'channel'>;
export type FenceKey = Key<'fence'>;
/** Of a row of the book; 0 until it is written for the first time. */
export type SupplyKey = Key<'supply'>;
/** Of a line of a reservation, from 0: a client's line id with its SKU. Never used again. */
export type LineNo = Key<'line'>;
