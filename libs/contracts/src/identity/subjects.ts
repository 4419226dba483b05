/**
 * How apps learn who is calling, from the app that has the identity. Apps alone may: no guest of the NATS server sees these
 * subjects, and a key's hash that leaked tells a stranger nothing.
 */
export const IDENTITY_SUBJECTS = {
  /** Core NATS request: `{ sha256 }` of a key or `{ person }`; the answer names scopes, limits, and the epoch of both. */
  verify: 'onepool.internal.identity.verify.v1',
  /** Core NATS broadcast, four times a second by each replica: the epoch, and whom its last steps concerned. */
  beat: 'onepool.beat.identity.v1',
} as const;
