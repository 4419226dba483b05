export { createTestDatabase } from './test-database.ts';
export type { DatabaseTemplate } from './database-template.ts';
export type { TestDatabase } from './test-database.ts';
export { startTestNats } from './test-nats.ts';
export type { TestNats, TestNatsOptions } from './test-nats.ts';
export { startTestPostgres } from './test-postgres.ts';
export type { TestPostgres, TestPostgresOptions } from './test-postgres.ts';
export { TcpProxy } from './tcp-proxy.ts';
export type { Direction } from './tcp-proxy.ts';
