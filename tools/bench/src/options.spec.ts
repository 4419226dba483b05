import { describe, expect, it } from '@jest/globals';
import { parseOptions } from './options.ts';

const parse = (args: string[], environment: Record<string, string> = {}) => parseOptions(args, environment, '/repo');

describe('parseOptions', () => {
  it('makes five rounds in .onepool when told nothing, two when quick', () => {
    expect(parse(['reserve'])).toMatchObject({ rounds: 5, quick: false, home: '/repo/.onepool', lanes: undefined });
    expect(parse(['all', '--quick'])).toMatchObject({ rounds: 2, quick: true });
  });

  it('takes home, lanes and servers from the environment', () => {
    const environment = {
      ONEPOOL_HOME: '/data',
      ONEPOOL_LANES: '2',
      DATABASE_URL: 'postgres://a/b',
      NATS_URL: 'nats://c',
    };
    expect(parse(['relay'], environment)).toMatchObject({
      home: '/data',
      lanes: 2,
      databaseUrl: 'postgres://a/b',
      natsUrl: 'nats://c',
    });
  });
});
