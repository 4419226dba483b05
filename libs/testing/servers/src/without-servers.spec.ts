import { describe, expect, it } from '@jest/globals';
import { withoutServers } from './without-servers.ts';

describe('an environment without servers', () => {
  it.each([
    ['DATABASE_URL'],
    ['DATABASE_OWNER_URL'],
    ['NATS_URL'],
    ['NATS_CREDS_FILE'],
    ['NATS_INBOX_PREFIX'],
    ['PGHOST'],
    ['PGPASSWORD'],
    ['ONEPOOL_API_KEY'],
  ])('lacks %s', (name) => {
    expect(withoutServers({ [name]: 'x', PATH: '/bin' })).toEqual({ PATH: '/bin' });
  });

  it.each([['NATS_SERVER_BIN'], ['ONEPOOL_DATA'], ['FAULTS_NATS_URL'], ['MY_DATABASE_URL']])('keeps %s', (name) => {
    expect(withoutServers({ [name]: 'x' })).toEqual({ [name]: 'x' });
  });

  it('is what specs run in', () => {
    expect(Object.keys(process.env)).toEqual(Object.keys(withoutServers(process.env)));
  });
});
