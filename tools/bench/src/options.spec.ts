import { describe, expect, it } from '@jest/globals';
import { parseCompareOptions, parseOptions } from './options.ts';
import { groupOf } from './reporting/keys.ts';

const parse = (args: string[], environment: Record<string, string> = {}) => parseOptions(args, environment, '/repo');

describe('parseOptions', () => {
  it('makes five rounds in .onepool when told nothing, two when quick', () => {
    expect(parse(['reserve'])).toMatchObject({ rounds: 5, quick: false, home: '/repo/.onepool', queues: undefined });
    expect(parse(['all', '--quick'])).toMatchObject({ rounds: 2, quick: true });
  });

  it('makes as many rounds as it is told, in a quick run too', () => {
    expect(parse(['reserve', '--rounds', '15'])).toMatchObject({ rounds: 15, quick: false });
    expect(parse(['reserve', '--quick', '--rounds', '9'])).toMatchObject({ rounds: 9, quick: true });
  });

  it('takes home, queues and servers from the environment', () => {
    const environment = {
      ONEPOOL_HOME: '/data',
      ONEPOOL_COMMIT_QUEUES: '2',
      DATABASE_URL: 'postgres://a/b',
      NATS_URL: 'nats://c',
    };
    expect(parse(['relay'], environment)).toMatchObject({
      home: '/data',
      queues: 2,
      databaseUrl: 'postgres://a/b',
      databaseOwnerUrl: undefined,
      natsUrl: 'nats://c',
    });
  });
});

describe('bench -- ci', () => {
  it('checks the results of every group but scale in one short round', () => {
    const { keys, rounds, seconds, quick } = parse(['ci']);
    expect({ rounds, quick }).toEqual({ rounds: 1, quick: true });
    expect(seconds).toBeLessThan(1);
    expect(new Set(keys.map(groupOf))).toEqual(new Set(['reserve', 'http', 'relay', 'propagate', 'feed', 'orders']));
  });
});

describe('parseCompareOptions', () => {
  const compareOptions = (args: string[]) => parseCompareOptions(args, {}, '/repo');

  it('leaves every other command line alone', () => {
    expect(compareOptions(['reserve'])).toBeUndefined();
  });

  it('compares reservations and requests when told a revision only, with fewer rounds where turns are long', () => {
    expect(compareOptions(['compare', 'main~3'])).toMatchObject({
      revision: 'main~3',
      groups: ['reserve', 'http'],
      roundsOf: { reserve: 9, http: 9, feed: 5, scale: 3 },
      against: undefined,
      node: undefined,
      home: '/repo/.onepool',
    });
  });

  it('takes every group that is named, in one order', () => {
    expect(compareOptions(['compare', 'v1', 'scale', 'feed'])).toMatchObject({ groups: ['feed', 'scale'] });
  });

  it('takes groups, rounds, and the Node of the first revision', () => {
    expect(
      compareOptions(['compare', 'v1', 'http', '--rounds', '3', '--against', 'v2', '--node', '/n/bin/node']),
    ).toMatchObject({ revision: 'v1', against: 'v2', groups: ['http'], roundsOf: { http: 3 }, node: '/n/bin/node' });
  });
});
