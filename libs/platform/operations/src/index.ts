export type { AnswerOf, Call, CsvAnswer, ServedOperation } from './operation.ts';
export { Serve, type ServeOptions } from './serve.ts';
export { installOperations, type OperationsOptions } from './install-operations.ts';
export { type ServedMethod, servedOperations } from './served-operations.ts';
