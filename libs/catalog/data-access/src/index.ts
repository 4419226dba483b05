export { catalogTables } from './catalog-tables.ts';
export { catalogEntities } from './entities.ts';
export { Catalog, type Applied } from './catalog.ts';
export { CatalogSnapshots } from './catalog-snapshots.ts';
export type { CatalogPage } from './pages.ts';
export { codeBefore } from './code-cursor.ts';
export type { ChangeFault } from './kinds.ts';
export { writeCsv, type CsvOut } from './csv-export.ts';
export { parseCsv, type CsvShape, type GoodRow, type ParsedCsv, type RowFault } from './csv-import.ts';
