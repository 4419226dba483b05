export * from './shared/primitives.ts';
export type { ExampleOf, HttpAddress, Operation, OperationExample } from './shared/operation.ts';
export { type AppContract, type FactStream, type FactDefinition, requestsOf } from './shared/app-contract.ts';
export * from './shared/documents/openapi.ts';
export * from './shared/documents/asyncapi.ts';
export { problemCodesOf, type ProblemDefinitions } from './shared/documents/problem-responses.ts';
export * from './availability/index.ts';
export * from './apps.ts';
export { IDENTITY_SUBJECTS } from './identity/subjects.ts';
