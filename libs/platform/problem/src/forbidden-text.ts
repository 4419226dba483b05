/**
 * Text that must never reach a database: NUL and lone surrogates, which PostgreSQL refuses (and one such row aborts a
 * whole batch), and the keys with which JSON can reach an object's prototype.
 *
 * Reading every string of every request would be dear, so the raw JSON text is scanned once; only if it holds a
 * suspicious spelling is the parsed value walked. Bodies that passed are remembered, so that nobody walks them again.
 */
import type { ProblemItem } from './problem.ts';

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
/** Any unicode escape can spell a forbidden character or key, and so can the plain name of a key. */
const SUSPICIOUS_JSON = /\\u|__proto__|constructor|prototype/;
const NUL_OR_LONE_SURROGATE = /[\0\p{Surrogate}]/u;
const ERRORS_MAX = 20;

/** On the body itself, where only we see it: a WeakSet of all bodies keeps the garbage collector busy. */
const VETTED = Symbol('vetted');
const vet = (body: object): void => void Object.defineProperty(body, VETTED, { value: true });
const isVetted = (body: object): boolean => VETTED in body;

interface Frame {
  readonly value: unknown;
  readonly key: string;
  readonly parent: Frame | undefined;
}

/** Finds forbidden text in a value that came from JSON. Safe for any depth; returns at most 20 findings. */
export function findForbiddenText(root: unknown): readonly ProblemItem[] {
  if (typeof root === 'object' && root !== null && isVetted(root)) return [];
  const found: ProblemItem[] = [];
  const stack: Frame[] = [{ value: root, key: '', parent: undefined }];
  for (let frame = stack.pop(); frame && found.length < ERRORS_MAX; frame = stack.pop()) {
    const { value } = frame;
    if (typeof value === 'string') {
      if (NUL_OR_LONE_SURROGATE.test(value)) found.push(textItem(frame, value));
    } else if (typeof value === 'object' && value !== null) {
      for (const key of Object.keys(value)) {
        const child = { value: (value as Record<string, unknown>)[key], key, parent: frame };
        if (FORBIDDEN_KEYS.has(key)) found.push(keyItem(child));
        else if (NUL_OR_LONE_SURROGATE.test(key)) found.push(textItem(child, key));
        else stack.push(child);
      }
    }
  }
  return found;
}

/** The same for a body that was just parsed from `text`: cheap unless the text looks suspicious. Remembers clean bodies. */
export function findForbiddenTextInJson(text: string, value: unknown): readonly ProblemItem[] {
  const found = SUSPICIOUS_JSON.test(text) ? findForbiddenText(value) : [];
  if (found.length === 0 && typeof value === 'object' && value !== null) vet(value);
  return found;
}

/** Appends one key to a JSON pointer, escaped and shortened, because the key is the caller's text. */
export function pointer(parent: string, key: string): string {
  const shown = key.length > 100 ? `${key.slice(0, 100)}…` : key;
  return `${parent}/${shown.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function pathOf(frame: Frame): string {
  const keys: string[] = [];
  for (let at: Frame = frame; at.parent; at = at.parent) keys.push(at.key);
  // A pathologically deep document is not worth an answer as long as itself.
  return keys.slice(-20).reverse().reduce(pointer, '');
}

function keyItem(frame: Frame): ProblemItem {
  return { path: pathOf(frame), code: 'forbidden_key', message: `the key "${frame.key}" is not allowed` };
}

function textItem(frame: Frame, text: string): ProblemItem {
  // The key itself may hold the NUL, and the answer must not carry it back.
  const path = pathOf(frame).replace(/[\0\p{Surrogate}]/gu, '\uFFFD');
  return text.includes('\0')
    ? { path, code: 'nul_byte', message: 'NUL characters are not allowed' }
    : { path, code: 'lone_surrogate', message: 'the text is not valid Unicode' };
}
