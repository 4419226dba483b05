export { IdentityAdmin } from './identity-admin.ts';
export { IDENTITY_OUTBOX_PARTITIONS } from './identity-change.ts';
export type { KeyChange, Limits, NewKey, NewPrincipal, PrincipalChange, PrincipalKind } from './identity-input.ts';
export type { KeyRow, PrincipalRow, RoleRow } from './identity-lists.ts';
export { identityTables } from './identity-tables.ts';
export { PostgresIdentity, type PostgresIdentityOptions } from './postgres-identity.ts';
export { type ServeIdentityOptions, type ServedIdentity, serveIdentity } from './serve-identity.ts';
