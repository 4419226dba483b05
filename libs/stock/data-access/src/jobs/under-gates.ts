/**
 * Jobs make tasks under the gates of their SKUs, as batches do: a batch may end the task of one SKU before it makes one of another with a
 * lower key, and whoever makes them without gates might wait for it crosswise.
 */

/** A FROM item with the `sku_key`s of an SQL query, each locked; ascending, as all lock them. */
export const underGates = (skus: string): string =>
  `(SELECT sku_key FROM sku_gate WHERE sku_key = ANY(ARRAY(${skus})) ORDER BY sku_key FOR NO KEY UPDATE) gated`;
