// breaks @nx/enforce-module-boundaries
// A project tagged with "type:domain" and "scope:identity" can only depend on libs tagged with "scope:identity", "scope:shared"
export * from '@onepool/stock-domain';
