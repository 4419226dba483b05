import assert from 'node:assert/strict';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * The partition of a key, from 0 to `count - 1`: FNV-1a over its UTF-8 bytes with a final mix, modulo the count.
 *
 * It is stored with each outbox row, so it must answer the same for ever; a spec pins known values. Changing the count
 * keeps per-key order only if the outbox was drained first.
 */
export function partitionOf(key: string, count: number): number {
  assert(Number.isInteger(count) && count > 0 && count <= 32_767, `partition count ${count} is out of range`);
  let hash = FNV_OFFSET;
  for (const byte of Buffer.from(key, 'utf8')) hash = Math.imul(hash ^ byte, FNV_PRIME);
  // FNV's low bits are weak on short keys that differ in the last character, and a modulo uses little else.
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return (hash >>> 0) % count;
}
