import { describe, expect, it } from '@jest/globals';
import { UsageError, parseOptions } from './options.ts';

const parse = (args: string[], environment: Record<string, string> = {}) =>
  parseOptions(args, environment, '/repo', [{ name: 'availability' }]);

describe('parseOptions', () => {
  it('starts one process of each app on 3000 in .onepool when told nothing', () => {
    expect(parse([])).toEqual({
      home: '/repo/.onepool',
      portBase: 3000,
      replicas: new Map(),
      seed: true,
      reset: false,
      failpoints: undefined,
      databaseUrl: undefined,
      databaseOwnerUrl: undefined,
      natsUrl: undefined,
    });
  });

  it('takes home, ports and servers from the environment', () => {
    const environment = {
      ONEPOOL_HOME: '/data/pool',
      ONEPOOL_PORT_BASE: '4000',
      DATABASE_URL: 'postgres://shop@db/pool',
      DATABASE_OWNER_URL: 'postgres://keeper@db/pool',
      NATS_URL: 'nats://bus:4222',
    };
    expect(parse([], environment)).toMatchObject({
      home: '/data/pool',
      portBase: 4000,
      databaseUrl: 'postgres://shop@db/pool',
      databaseOwnerUrl: 'postgres://keeper@db/pool',
      natsUrl: 'nats://bus:4222',
    });
  });

  it('wants the role of the apps named where the owner is', () => {
    expect(() => parse([], { DATABASE_OWNER_URL: 'postgres://keeper@db/pool' })).toThrow(/needs DATABASE_URL/);
  });

  it('takes replicas as app=N', () => {
    expect(parse(['--replicas', 'availability=2'])?.replicas).toEqual(new Map([['availability', 2]]));
  });

  it('seeds and keeps unless told otherwise', () => {
    expect(parse(['--no-seed', '--reset'])).toMatchObject({ seed: false, reset: true });
  });

  it('answers nothing when help is asked for', () => {
    expect(parse(['--help'])).toBeUndefined();
  });

  it('reports every problem at once and repeats no password', () => {
    const environment = { ONEPOOL_PORT_BASE: '80000', DATABASE_URL: 'mysql://root:secret@db' };
    const attempt = () => parse(['--replicas', 'availability=0', '--replicas', 'nowhere=1'], environment);
    expect(attempt).toThrow(UsageError);
    expect(attempt).toThrow(/ONEPOOL_PORT_BASE[^]*availability=0[^]*nowhere=1[^]*DATABASE_URL/);
    expect(attempt).not.toThrow(/secret/);
  });

  it.each([['--replica'], ['stray']])('refuses the unknown argument %s and shows the usage', (argument) => {
    expect(() => parse([argument])).toThrow(/--no-seed/);
  });
});
