/**
 * What the identity tells: each fact is the whole state of one row, without names of persons and without anything of which a key
 * could be made. A key's facts have the key of its principal's, so that both come in order.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { FactDefinition } from '../shared/fact-definition.ts';
import { ChannelCode, NodeCode, PrincipalId, Timestamp, closed, oneOf } from '../shared/primitives.ts';

/** The subject scope of the identity. */
export const IDENTITY_SCOPE = 'identity';

const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);
const scopes = Type.Array(Type.String({ maxLength: 65 }), { description: 'No scope implies another.' });
const limits = {
  nodes: nullable(Type.Array(NodeCode, { description: 'Node work is for these nodes only; null: for all.' })),
  channels: nullable(Type.Array(ChannelCode, { description: 'Selling is in these channels only; null: in all.' })),
};
const count = (description: string) => Type.Integer({ minimum: 0, description });
const versions = {
  epoch: count('The step of the identity that this change was; what apps hear several times a second names the same.'),
  fromVersion: count('The `toVersion` of the fact before, of the same key.'),
  toVersion: count('Counts the facts of one key; gap-free.'),
};

/** What roles are called. */
export const RoleName = Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$', maxLength: 32 });
/** One API key, by which nobody can call. */
export const KeyId = Type.String({ pattern: '^key_[a-z2-7]{12}$' });

export const PRINCIPAL_CHANGED = 'onepool.identity.principal.changed.v1';
export const PrincipalChanged = closed({
  principal: PrincipalId,
  kind: oneOf(['person', 'service']),
  roles: Type.Array(RoleName),
  scopes,
  ...limits,
  disabled: Type.Boolean({ description: 'Whether none of its keys works, and nobody acts on its behalf.' }),
  erased: Type.Boolean({ description: 'Whether nobody knows its name any more. Whoever keeps one erases it, too.' }),
  ...versions,
});
export type PrincipalChanged = Static<typeof PrincipalChanged>;

export const ROLE_CHANGED = 'onepool.identity.role.changed.v1';
export const RoleChanged = closed({ role: RoleName, scopes, ...versions });
export type RoleChanged = Static<typeof RoleChanged>;

export const KEY_CHANGED = 'onepool.identity.key.changed.v1';
export const KeyChanged = closed({
  key: KeyId,
  principal: PrincipalId,
  scopes: nullable(scopes),
  ...limits,
  expiresAt: nullable(Timestamp),
  revoked: Type.Boolean(),
  ...versions,
});
export type KeyChanged = Static<typeof KeyChanged>;

/** Every fact of the identity. */
export const IDENTITY_FACTS = [
  {
    id: 'principalChanged',
    subject: PRINCIPAL_CHANGED,
    data: PrincipalChanged,
    summary: 'A person or a service was made or changed.',
    description:
      'Its whole state; what it may besides by its roles, their facts say. Key: `principal/<id>`, which it shares with its API keys.',
  },
  {
    id: 'roleChanged',
    subject: ROLE_CHANGED,
    data: RoleChanged,
    summary: 'A role was made, or has other scopes.',
    description: 'Its whole state. Key: `role/<name>`.',
  },
  {
    id: 'keyChanged',
    subject: KEY_CHANGED,
    data: KeyChanged,
    summary: 'An API key was made, changed or revoked.',
    description:
      'Its whole state; what is null is as its principal has it, and an `expiresAt` of null is never. Key: `principal/<id>` of its principal.',
  },
] as const satisfies readonly FactDefinition[];
