/**
 * API keys: `opk_` and 32 random bytes. Only their SHA-256 is stored.
 *
 * A plain hash is enough, because a key is random and not a password that could be guessed from a dictionary. Looking
 * it up by hash needs no constant-time comparison either: what the time of an index look-up could reveal is a prefix
 * of the hash, from which nobody can make a key.
 */
import { hash, randomBytes } from 'node:crypto';

/** A new key: `key` is shown once and never stored; `sha256` (lower-case hex) is what the store keeps. */
export function createApiKey(): { readonly key: string; readonly sha256: string } {
  const key = `opk_${randomBytes(32).toString('base64url')}`;
  return { key, sha256: sha256OfApiKey(key) };
}

/** SHA-256 of a key, 64 lower-case hex digits. */
export function sha256OfApiKey(key: string): string {
  return hash('sha256', key, 'hex');
}

/**
 * The key within an `Authorization` header, or undefined if it is not a Bearer header with something that looks like
 * one of our keys. Anything else is refused without asking the store.
 */
export function apiKeyFromHeader(authorization: string): string | undefined {
  return /^Bearer +(opk_[A-Za-z0-9_-]{16,128})$/i.exec(authorization)?.[1];
}
