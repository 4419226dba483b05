import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { installFailpoints } from '@onepool/platform-failpoints';
import type { FactEvent } from '@onepool/platform-messaging';
import { createPool, runMigrations } from '@onepool/platform-postgres';
import { createTestDatabase } from '@onepool/testing-servers';
import type pg from 'pg';
import { SHELVES } from '../spec-support/shelves-app.ts';
import { FactIntake, NewEpochError } from './fact-intake.ts';
import type { MirrorRow } from './kinds.ts';
import { SupersededError } from './mirror-store.ts';
import { mirrorTables } from './mirror-tables.ts';
import { PostgresMirror } from './postgres-mirror.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let pool: pg.Pool;
let store: PostgresMirror<typeof SHELVES>;
let ended: unknown[];
let names = 0;
const position = { epoch: 2, sequence: 50 };
const row = (key: string, value: unknown, version = 1): MirrorRow => ({ kind: 'shelves', key, version, value });

beforeAll(async () => {
  database = await createTestDatabase();
  const schemas = [{ schema: 'reports', parts: [mirrorTables] }];
  await runMigrations({ url: database.ownerUrl, runtimeUrl: database.url, schemas });
  pool = createPool({
    url: database.url,
    max: 4,
    applicationName: 'spec',
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 10_000,
    idleInTransactionTimeoutMs: 60_000,
    connectTimeoutMs: 5_000,
  });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});
beforeEach(async () => {
  ended = [];
  store = new PostgresMirror(SHELVES, { pool, schema: 'reports', name: `mirror-${(names += 1)}` });
  await store.begin(0, ['shelves']);
  await store.writePage(1, [], { position, durable: 'made', page: null });
  await store.complete(1, position);
});
afterEach(() => installFailpoints(null));

const intakeOf = (generation: number) =>
  new FactIntake({ store, generation, position, onEnd: (reason) => void ended.push(reason) });
const outcomes = (intake: FactIntake, ...rows: readonly MirrorRow[]) =>
  Promise.allSettled(rows.map((one) => intake.take([one]))).then((all) => all.map(({ status }) => status));

describe('facts that are taken into a mirror', () => {
  it('are written together when they come together, of each thing the newest', async () => {
    let commits = 0;
    installFailpoints({
      isPlanted: () => false,
      pass: (name) => void (commits += Number(name.endsWith('.after_commit'))),
    });
    const rows = Array.from({ length: 40 }, (_, n) => row(`s${n % 10}`, { units: n }, n));
    expect(new Set(await outcomes(intakeOf(1), ...rows))).toEqual(new Set(['fulfilled']));
    // The first goes alone, and what came meanwhile follows.
    expect(commits).toBe(2);
    expect(await store.get('shelves', 's3')).toEqual({ units: 33 });
    await intakeOf(1).take([row('s3', { units: 3 }, 3)]);
    expect(await store.get('shelves', 's3')).toEqual({ units: 33 });
  });

  it('do not fail with one that the store refuses', async () => {
    const told = [row('s1', { units: 1 }), row('s2', { units: 2, note: '\0' }), row('s3', { units: 3 })];
    expect(await outcomes(intakeOf(1), row('s0', null), ...told)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(await store.get('shelves', 's3')).toEqual({ units: 3 });
    expect(await store.get('shelves', 's2')).toBeUndefined();
  });

  it('are refused once another has begun a generation, and change nothing', async () => {
    await store.begin(1, ['shelves']);
    await expect(intakeOf(1).take([row('s1', { units: 1 })])).rejects.toThrow(SupersededError);
    expect(ended).toMatchObject([{ name: 'SupersededError' }]);
    expect(await store.get('shelves', 's1')).toBeUndefined();
  });

  const heard = async (place: { streamEpoch?: number; streamSequence?: number }): Promise<string> => {
    let effect = 'passed over';
    const handle = () => Promise.resolve(void (effect = 'applied'));
    await intakeOf(1).once({ id: 'f', data: null, ...place } as FactEvent, handle);
    return effect;
  };

  it.each<[string, string, { streamEpoch?: number; streamSequence?: number }]>([
    ['passed over', 'at the position', { streamEpoch: 2, streamSequence: 50 }],
    ['applied', 'behind the position', { streamEpoch: 2, streamSequence: 51 }],
    ['applied', 'of an older epoch, whose relay lags', { streamEpoch: 1, streamSequence: 7 }],
    ['applied', 'of a publisher that counts no epochs', { streamSequence: 7 }],
  ])('are %s %s', async (effect, _place, place) => {
    expect(await heard(place)).toBe(effect);
  });

  it('end a mirror of an older epoch than theirs', async () => {
    await expect(heard({ streamEpoch: 3, streamSequence: 1 })).rejects.toThrow(NewEpochError);
    expect(ended).toMatchObject([{ epoch: 3 }]);
  });
});
