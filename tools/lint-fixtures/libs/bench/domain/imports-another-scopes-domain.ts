// breaks @nx/enforce-module-boundaries
// A project tagged with "type:domain" and "scope:bench" can only depend on libs tagged with "scope:bench", "scope:shared"
export * from '@onepool/simulator-domain';
