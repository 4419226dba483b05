export { ConfigError, loadConfig, type ConfigProblem } from './load-config.ts';
export { OperatorError } from './operator-error.ts';
export { lastWords, runProgram } from './run-program.ts';
export { isSecret, secret } from './secret.ts';
