// breaks @nx/enforce-module-boundaries
// A project tagged with "type:data-access" can only depend on libs tagged with "type:domain", "type:client", "type:contracts", "type:platform"
export * from '@onepool/testing-servers';
