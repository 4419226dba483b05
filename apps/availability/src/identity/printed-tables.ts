/** Principals, roles and keys as tables, for whoever looks after them. */
import type { KeyRow, PrincipalRow, RoleRow } from '@onepool/identity-data-access';
import Table from 'cli-table3';

const NONE = '–';
const ERASED = '(erased)';
const codes = (limit: readonly string[] | null): string => (limit === null ? 'all' : limit.join(', ') || 'none');
const time = (at: Date | null): string => at?.toISOString().slice(0, 16).replace('T', ' ') ?? NONE;

/** Whoever was erased stands last, without a name. */
export function principalsTable(rows: readonly PrincipalRow[]): string {
  const table = new Table({ head: ['name', 'id', 'kind', 'roles', 'scopes', 'nodes', 'channels', 'disabled (UTC)'] });
  for (const { name, id, kind, roles, scopes, nodes, channels, disabledAt } of rows)
    table.push([
      name ?? ERASED,
      id,
      kind,
      roles.join(', ') || NONE,
      scopes.join(', ') || NONE,
      codes(nodes),
      codes(channels),
      time(disabledAt),
    ]);
  return table.toString();
}

export function keysTable(rows: readonly KeyRow[]): string {
  const head = [
    'name',
    'principal',
    'key',
    'SHA-256',
    'scopes',
    'nodes',
    'channels',
    'expires (UTC)',
    'last used',
    'revoked (UTC)',
  ];
  const table = new Table({ head });
  const narrowed = (limit: readonly string[] | null): string => (limit === null ? 'as principal' : codes(limit));
  for (const row of rows) {
    const { name, principal, id, fingerprint, scopes, nodes, channels, expiresAt, lastUsedOn, revokedAt } = row;
    table.push([
      name ?? ERASED,
      principal,
      id,
      `${fingerprint}…`,
      narrowed(scopes),
      narrowed(nodes),
      narrowed(channels),
      expiresAt === null ? 'never' : time(expiresAt),
      lastUsedOn ?? 'never',
      time(revokedAt),
    ]);
  }
  return table.toString();
}

export function rolesTable(rows: readonly RoleRow[]): string {
  const table = new Table({ head: ['role', 'scopes', 'held by'] });
  for (const { name, scopes, principals } of rows)
    table.push([name, scopes.join(', ') || NONE, principals.join(', ') || NONE]);
  return table.toString();
}
