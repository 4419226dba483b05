// breaks @nx/enforce-module-boundaries
// A project tagged with "type:platform" can only depend on libs tagged with "type:platform"
export * from '@onepool/client';
