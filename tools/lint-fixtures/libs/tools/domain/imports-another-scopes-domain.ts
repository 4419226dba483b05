// breaks @nx/enforce-module-boundaries
// A project tagged with "type:domain" and "scope:tools" can only depend on libs tagged with "scope:tools", "scope:shared"
export * from '@onepool/simulator-domain';
