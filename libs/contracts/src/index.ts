export * from './shared/primitives.ts';
export { gs1CheckDigit } from './shared/gs1.ts';
export type { ExampleOf, HttpAddress, Operation, OperationExample } from './shared/operation.ts';
export type { AppContract } from './shared/app-contract.ts';
export type { FactDefinition } from './shared/fact-definition.ts';
export {
  type FactStream,
  type ModuleContract,
  factSource,
  factStream,
  queueOf,
  requestsOf,
  streamsOf,
} from './shared/module-contract.ts';
export * from './shared/snapshot.ts';
export * from './shared/documents/openapi.ts';
export * from './shared/documents/asyncapi.ts';
export { problemCodesOf, type ProblemDefinitions } from './shared/documents/problem-responses.ts';
export * from './catalog/index.ts';
export * from './availability/index.ts';
export * from './apps.ts';
export { IDENTITY_SUBJECTS } from './identity/subjects.ts';
export * from './identity/facts.ts';
