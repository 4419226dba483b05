// breaks @nx/enforce-module-boundaries
// A project tagged with "type:client" can only depend on libs tagged with "type:contracts", "type:platform"
export * from '@onepool/stock-data-access';
