// breaks @nx/enforce-module-boundaries
// A project without tags matching at least one constraint cannot depend on any libraries
export * from '@onepool/stock-domain';
