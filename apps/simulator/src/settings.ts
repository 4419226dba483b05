/** Where the system is and with which key: flags first, then the environment, then what `npm start` leaves behind. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Environment = Readonly<Record<string, string | undefined>>;

const portBase = (environment: Environment): number => {
  const text = environment['ONEPOOL_PORT_BASE'] ?? '3000';
  if (!/^\d{1,5}$/.test(text)) throw new UsageError(`ONEPOOL_PORT_BASE is not a port: ${text}`);
  return Number(text);
};

export const defaultUrl = (environment: Environment): string => `http://127.0.0.1:${portBase(environment) + 1}`;

export const defaultNatsUrl = (environment: Environment): string =>
  environment['NATS_URL'] ?? `nats://127.0.0.1:${portBase(environment) + 11}`;

/** The API key, or a `UsageError` that says where one is looked for. */
export const findApiKey = (keyFile: string | undefined, environment: Environment): string => {
  const fromEnvironment = environment['ONEPOOL_API_KEY'];
  if (keyFile === undefined && fromEnvironment) return fromEnvironment;
  const path = keyFile ?? join(environment['ONEPOOL_HOME'] ?? '.onepool', 'dev-api-key');
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    const hint = keyFile === undefined ? ' Run `npm start` in another terminal, or give --key-file.' : '';
    throw new UsageError(`No API key in ${path}.${hint}`, { cause });
  }
};
