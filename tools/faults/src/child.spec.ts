import { afterEach, expect, it } from '@jest/globals';
import { cleanEnvironment } from './child.ts';

const names = ['DATABASE_URL', 'DATABASE_OWNER_URL', 'NATS_CREDS_FILE', 'ONEPOOL_HOME', 'PORT'];

afterEach(() => {
  for (const name of names) Reflect.deleteProperty(process.env, name);
});

it('tells programs of the drill nothing of a system that the environment names', () => {
  for (const name of names) process.env[name] = 'x';
  expect(names.filter((name) => name in cleanEnvironment())).toEqual([]);
});
