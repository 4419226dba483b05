// breaks @nx/enforce-module-boundaries
// A project tagged with "type:domain" and "scope:stock" can only depend on libs tagged with "scope:stock", "scope:shared"
export * from '@onepool/catalog-domain';
