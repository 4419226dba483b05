export { ConfigError, loadConfig, type ConfigProblem } from './load-config.ts';
export { isSecret, secret } from './secret.ts';
