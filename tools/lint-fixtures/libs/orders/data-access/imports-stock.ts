// breaks @nx/enforce-module-boundaries
// A project tagged with "scope:orders" can only depend on libs tagged with "scope:orders", "scope:shared"
export * from '@onepool/stock-domain';
