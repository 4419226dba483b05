export { type Addresses, TestApp, type TestAppOptions, makeApiKey, migrateApps } from './test-app.ts';
