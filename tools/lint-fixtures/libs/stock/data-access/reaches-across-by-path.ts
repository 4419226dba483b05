// breaks @nx/enforce-module-boundaries
// Projects cannot be imported by a relative or absolute path, and must begin with a npm scope
export * from '../domain/index.ts';
