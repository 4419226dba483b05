// breaks @nx/enforce-module-boundaries
// Circular dependency between "@onepool/platform-clock" and "@onepool/platform-postgres" detected: @onepool/platform-clock -> @onepool/platform-postgres -> @onepool/platform-clock
export * from '@onepool/platform-postgres';
