/** Internal keys: small integers that stand for codes inside the engine; they never leave it. */
declare const brand: unique symbol;
type Key<Name extends string> = number & { readonly [brand]?: Name };

export type SkuKey = Key<'sku'>;
export type NodeKey = Key<'node'>;
export type ChannelKey = Key<'channel'>;
