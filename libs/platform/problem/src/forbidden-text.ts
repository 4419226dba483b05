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
  readonly key: string | number;
  readonly parent: Frame | undefined;
}

/** Finds forbidden text in a value that came from JSON. Safe for any depth; returns at most 20 findings. */
export function findForbiddenText(root: unknown): readonly ProblemItem[] {
  if (typeof root === 'object' && root !== null && isVetted(root)) return [];
  const found: ProblemItem[] = [];
  const stack: Frame[] = [];
  // A megabyte holds half a million numbers: only what has members of its own costs a frame.
  const visit = (value: unknown, key: string | number, parent: Frame | undefined): void => {
    if (typeof value === 'string') {
      if (NUL_OR_LONE_SURROGATE.test(value)) found.push(textItem({ value, key, parent }, value));
    } else if (typeof value === 'object' && value !== null) stack.push({ value, key, parent });
  };
  visit(root, '', undefined);
  for (let frame = stack.pop(); frame && found.length < ERRORS_MAX; frame = stack.pop()) {
    const { value } = frame;
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length && found.length < ERRORS_MAX; index += 1)
        visit(value[index], index, frame);
      continue;
    }
    const members = value as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(members)) {
      if (found.length >= ERRORS_MAX) break;
      if (FORBIDDEN_KEYS.has(key)) found.push(keyItem({ value: undefined, key, parent: frame }));
      else if (NUL_OR_LONE_SURROGATE.test(key)) found.push(textItem({ value: undefined, key, parent: frame }, key));
      else visit(members[key], key, frame);
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
export function pointer(parent: string, member: string | number): string {
  const key = String(member);
  const shown = key.length > 100 ? `${key.slice(0, 100)}…` : key;
  return `${parent}/${shown.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function pathOf(frame: Frame): string {
  const keys: (string | number)[] = [];
  for (let at: Frame = frame; at.parent; at = at.parent) keys.push(at.key);
  // A pathologically deep document is not worth an answer as long as itself.
  return keys.slice(-20).reverse().reduce<string>(pointer, '');
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
