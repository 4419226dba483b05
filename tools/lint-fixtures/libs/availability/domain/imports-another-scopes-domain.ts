// breaks @nx/enforce-module-boundaries
// A project tagged with "type:domain" and "scope:availability" can only depend on libs tagged with "scope:availability"
export * from '@onepool/stock-domain';
