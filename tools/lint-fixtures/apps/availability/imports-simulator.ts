// breaks @nx/enforce-module-boundaries
// A project tagged with "scope:availability" can only depend on libs tagged with "scope:availability", "scope:stock", "scope:catalog", "scope:identity", "scope:shared"
export * from '@onepool/simulator-domain';
