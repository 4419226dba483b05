// breaks @nx/enforce-module-boundaries
// A project tagged with "scope:bench" can only depend on libs tagged with "scope:bench", "scope:stock", "scope:shared"
export * from '@onepool/catalog-data-access';
