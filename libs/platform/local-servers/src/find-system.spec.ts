import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findSystem } from './find-system.ts';
import { type RuntimeRecord, identify } from './runtime-record.ts';

describe('findSystem', () => {
  let home = '';
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'onepool-find-'));
    writeFileSync(join(home, 'dev-api-key'), 'key of the home\n');
    writeFileSync(join(home, 'other-key'), 'other key\n');
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const urls = ['http://127.0.0.1:4001', 'http://127.0.0.1:4021'];
  const record = (change: Partial<RuntimeRecord> = {}): void => {
    const whole: RuntimeRecord = {
      runtime: identify(process.pid),
      ready: true,
      portBase: 4_000,
      urls: { availability: urls },
      databaseUrl: undefined,
      databaseOwnerUrl: undefined,
      natsUrl: 'nats://127.0.0.1:4011',
      apiKeyFile: join(home, 'dev-api-key'),
      processes: {},
      ...change,
    };
    writeFileSync(join(home, 'runtime.json'), JSON.stringify(whole));
  };
  const find = (hints = {}, environment = {}) => findSystem(hints, { ONEPOOL_HOME: home, ...environment });

  it('finds what npm start runs, on whatever ports, with every replica and its key', () => {
    record();
    expect(find()).toMatchObject({ urls, natsUrl: 'nats://127.0.0.1:4011', key: 'key of the home' });
    expect(find().record?.portBase).toBe(4_000);
  });

  it('lets options win over the record', () => {
    record();
    const hints = { urls: ['http://127.0.0.1:9'], natsUrl: 'nats://127.0.0.1:8', keyFile: join(home, 'other-key') };
    expect(find(hints)).toEqual({ urls: hints.urls, natsUrl: hints.natsUrl, key: 'other key', record: undefined });
  });

  it('knows the recorded system by the address of one of its replicas', () => {
    record();
    expect(find({ urls: [urls[1]] })).toMatchObject({ urls: [urls[1]], natsUrl: 'nats://127.0.0.1:4011' });
    expect(() => find({ urls: ['http://127.0.0.1:9'] })).toThrow('give --nats-url beside --url');
  });

  it('lets the environment win over the record', () => {
    record();
    const named = { NATS_URL: 'nats://127.0.0.1:8', ONEPOOL_API_KEY: 'named' };
    expect(find({}, named)).toMatchObject({ urls, natsUrl: 'nats://127.0.0.1:8', key: 'named' });
    const elsewhere = find({}, { ONEPOOL_PORT_BASE: '5000' });
    expect(elsewhere).toMatchObject({ urls: ['http://127.0.0.1:5001'], natsUrl: 'nats://127.0.0.1:5011' });
    expect(elsewhere.record).toBeUndefined();
    expect(find({}, { ONEPOOL_PORT_BASE: '4000' }).urls).toEqual(urls);
  });

  it('says in one sentence what to do where nothing runs, or runs no more', () => {
    const advice = /^Nothing runs on .+: run `npm start` in another terminal .+\.$/;
    expect(() => find()).toThrow(advice);
    record({ runtime: { pid: process.pid, startedAt: 'another time' } });
    expect(() => find()).toThrow(advice);
    expect(() => find()).toThrow('has ended');
  });

  it('says where it looked for a key', () => {
    record({ apiKeyFile: join(home, 'absent') });
    expect(() => find()).toThrow(`No API key can be read in ${join(home, 'absent')}`);
  });
});
