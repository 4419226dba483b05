// breaks @nx/enforce-module-boundaries
// Projects should use relative imports to import from other files within the same project. Use "./path/to/file" instead of import from "@onepool/platform-clock"
export * from '@onepool/platform-clock';
