export * from './catalog.ts';
export * from './facts.ts';
export { CATALOG_OPERATIONS, CATALOG_SCOPE, CSV_COLUMNS } from './operations.ts';
