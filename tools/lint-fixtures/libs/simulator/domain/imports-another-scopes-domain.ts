// breaks @nx/enforce-module-boundaries
// A project tagged with "type:domain" and "scope:simulator" can only depend on libs tagged with "scope:simulator", "scope:shared"
export * from '@onepool/stock-domain';
