/** What needs no encoding, which is nearly every code. */
const PLAIN = /^[\w.~-]*$/;

/**
 * The key of facts and of the aggregate that they are about: what it is, and the parts of its name. Each part is
 * percent-encoded, so that none can pass for two.
 *
 * @example factKey('reservation', owner, id) // 'reservation/prn_1/cart%2F7'
 */
export const factKey = (kind: string, ...names: readonly [string, ...string[]]): string => {
  let key = kind;
  for (const name of names) key += `/${PLAIN.test(name) ? name : encodeURIComponent(name)}`;
  return key;
};
