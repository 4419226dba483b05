// breaks @nx/enforce-module-boundaries
// A project tagged with "scope:tools" can only depend on libs tagged with "scope:tools", "scope:simulator", "scope:shared"
export * from '@onepool/stock-data-access';
