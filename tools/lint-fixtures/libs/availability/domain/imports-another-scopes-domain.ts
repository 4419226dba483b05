// breaks @nx/enforce-module-boundaries
// A project tagged with "type:domain" and "scope:availability" can only depend on libs tagged with "scope:availability", "scope:shared"
export * from '@onepool/stock-domain';
