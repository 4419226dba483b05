export { Aggregates } from './aggregates.ts';
export { dataSourceOptions, poolOf, type DataSourceSettings } from './data-source.ts';
export type { Connections } from './session.ts';
export { UnitOfWork, type Look, type Unit, type UnitOfWorkOptions, type UnitOfWorkSettings } from './unit-of-work.ts';
export { unitOfWorkTables } from './unit-of-work-tables.ts';
export type { Told, VersionedFact, Work } from './work.ts';
