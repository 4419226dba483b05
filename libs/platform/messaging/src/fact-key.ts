/** What needs no encoding, which is nearly every name. */
const PLAIN = /^[\w.~-]*$/;

/** A name as it stands in a key: percent-encoded, so that it has no slash. Of how a name begins comes how it begins in a key. */
export const nameInKey = (name: string): string => (PLAIN.test(name) ? name : encodeURIComponent(name));

/**
 * The key of facts and of the aggregate that they are about: what it is, and the parts of its name. Each part is
 * percent-encoded, so that none can pass for two.
 *
 * @example factKey('reservation', owner, id) // 'reservation/prn_1/cart%2F7'
 */
export const factKey = (kind: string, ...names: readonly [string, ...string[]]): string => {
  let key = kind;
  for (const name of names) key += `/${nameInKey(name)}`;
  return key;
};

/** What {@link factKey} put together: the kind, and the names. */
export function readFactKey(key: string): readonly [kind: string, ...names: string[]] {
  const [kind = '', ...names] = key.split('/');
  return [kind, ...(key.includes('%') ? names.map(decodeURIComponent) : names)];
}
