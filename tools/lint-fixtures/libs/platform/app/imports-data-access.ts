// breaks @nx/enforce-module-boundaries
// A project tagged with "type:kit" can only depend on libs tagged with "type:client", "type:contracts", "type:platform"
export * from '@onepool/catalog-data-access';
