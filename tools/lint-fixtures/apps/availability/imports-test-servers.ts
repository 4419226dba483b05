// breaks @nx/enforce-module-boundaries
// A project tagged with "type:app" can only depend on libs tagged with "type:kit", "type:data-access", "type:domain", "type:client", "type:contracts", "type:platform"
export * from '@onepool/testing-servers';
