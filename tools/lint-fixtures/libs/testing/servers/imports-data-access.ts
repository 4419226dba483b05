// breaks @nx/enforce-module-boundaries
// A project tagged with "type:testing" can only depend on libs tagged with "type:testing", "type:domain", "type:contracts", "type:platform"
export * from '@onepool/stock-data-access';
