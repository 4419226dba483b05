// breaks @nx/enforce-module-boundaries
// A project tagged with "type:contracts" can only depend on libs tagged with "type:contracts"
export * from '@onepool/stock-domain';
