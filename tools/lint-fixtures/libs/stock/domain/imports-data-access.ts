// breaks @nx/enforce-module-boundaries
// A project tagged with "type:domain" can only depend on libs tagged with "type:domain"
export * from '@onepool/stock-data-access';
