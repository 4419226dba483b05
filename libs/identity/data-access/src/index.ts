export { IdentityAdmin, type Limits, type NewKey, type NewPrincipal, type PrincipalChange } from './identity-admin.ts';
export type { KeyRow, PrincipalRow, RoleRow } from './identity-lists.ts';
export { identityTables } from './identity-tables.ts';
export { PostgresIdentity, type PostgresIdentityOptions } from './postgres-identity.ts';
export { type ServeIdentityOptions, type ServedIdentity, serveIdentity } from './serve-identity.ts';
