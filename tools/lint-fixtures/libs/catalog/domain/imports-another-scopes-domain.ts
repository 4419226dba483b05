// breaks @nx/enforce-module-boundaries
// A project tagged with "type:domain" and "scope:catalog" can only depend on libs tagged with "scope:catalog", "scope:shared"
export * from '@onepool/stock-domain';
