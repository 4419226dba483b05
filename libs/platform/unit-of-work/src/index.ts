export { Aggregates } from './aggregates.ts';
export { dataSourceOptions, poolOf, type DataSourceSettings } from './data-source.ts';
export { UnitOfWork, type Unit, type UnitOfWorkOptions } from './unit-of-work.ts';
export { unitOfWorkTables } from './unit-of-work-tables.ts';
export type { Told, VersionedFact, Work } from './work.ts';
