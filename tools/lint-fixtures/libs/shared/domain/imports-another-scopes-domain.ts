// breaks @nx/enforce-module-boundaries
// A project tagged with "type:domain" and "scope:shared" can only depend on libs tagged with "scope:shared"
export * from '@onepool/stock-domain';
