// breaks no-restricted-imports
// '@onepool/stock-domain/src/atp.ts' import is restricted from being used by a pattern. A library is imported through its index.ts only.
export * from '@onepool/stock-domain/src/atp.ts';
