export * from './primitives.ts';
export * from './catalog.ts';
export * from './reservations.ts';
export * from './stock.ts';
export * from './feeds.ts';
export * from './facts.ts';
export * from './operations.ts';
export * from './openapi.ts';
