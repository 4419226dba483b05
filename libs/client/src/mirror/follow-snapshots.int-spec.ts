import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, createTestNatsAccount } from '@onepool/testing-servers';
import { jetstream } from '@nats-io/jetstream';
import { connectNats, toMessageHeaders } from '@onepool/platform-messaging';
import { MirrorBench, type RunningMirror, type StoreName } from '../spec-support/mirror-bench.ts';
import { SHELF_STREAM, type ShelfChange } from '../spec-support/shelf-source.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let nats: Awaited<ReturnType<typeof createTestNatsAccount>>;
let bench: MirrorBench;

beforeEach(async () => {
  [database, nats] = await Promise.all([createTestDatabase(), createTestNatsAccount()]);
  bench = await MirrorBench.open({ database, nats });
});
afterEach(async () => {
  await bench.close();
  await nats.stop();
  await database.drop();
});

const shelf = (code: string, units: number | null): ShelfChange => ({ kind: 'shelves', code, units });
const aisle = (code: string, units: number | null): ShelfChange => ({ kind: 'aisles', code, units });

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(10);
}
const isEqual = async ({ read }: RunningMirror): Promise<boolean> =>
  JSON.stringify(await read().catch(() => undefined)) === JSON.stringify(await bench.source.truth());
const untilEqual = (running: RunningMirror) => until(() => isEqual(running));
const isFollowing = ({ mirror }: RunningMirror) => mirror.stage() === 'following';

describe.each<[StoreName]>([['memory'], ['postgres']])('a mirror in %s that starts late', (kind) => {
  beforeEach(async () => {
    await bench.source.change(...['s00', 's01', 's02', 's03', 's04'].map((code, at) => shelf(code, at)));
    await bench.source.change(aisle('a00', 1), shelf('s01', null), aisle('a01', 2));
  });

  it('is what there is, from pages, and stays so, from facts', async () => {
    const running = await bench.start(kind);
    expect(running.mirror.isReady()).toBe(false);
    await running.mirror.ready();
    expect(await running.read()).toEqual(await bench.source.truth());
    expect(await running.store.get('shelves', 's04')).toEqual({ units: 4 });
    expect(await running.store.get('shelves', 's01')).toBeUndefined();
    await bench.source.change(shelf('s04', 40), shelf('s05', 5), shelf('s00', null), aisle('a00', null));
    await untilEqual(running);
    await until(() => isFollowing(running));
    expect([running.anew, running.errors]).toEqual([['first_time'], []]);
  });

  it('misses nothing that is told between the reading of a page and its answer', async () => {
    bench.source.beforeAnswer = async () => {
      await bench.source.change(aisle('a00', 100), aisle('a01', null), shelf('s00', 100), shelf('s02', null));
      await until(() => bench.source.isTold());
    };
    const running = await bench.start(kind);
    await untilEqual(running);
    await until(() => isFollowing(running));
    expect(running.anew).toEqual(['first_time']);
  });

  it('cannot be read before it is complete', async () => {
    let read: unknown;
    const running = await bench.start(kind);
    bench.source.beforeAnswer = async () => {
      read = await Promise.resolve()
        .then(() => running.store.get('shelves', 's00'))
        .catch((error: unknown) => error);
    };
    await running.mirror.ready();
    expect(read).toMatchObject({ name: 'MirrorNotReadyError' });
  });
});

describe.each<[StoreName]>([['memory'], ['postgres']])('a mirror in %s that is built anew', (kind) => {
  let running: RunningMirror;
  beforeEach(async () => {
    await bench.source.change(shelf('s00', 0), shelf('s01', 1), shelf('s02', 2), aisle('a00', 0));
    running = await bench.start(kind);
    await running.mirror.ready();
  });
  /** As after a source was restored: no fact says so. */
  const loseUntold = () => bench.source.pool.query(`DELETE FROM shelf WHERE code = 's02'`);
  const loseDurable = async () => (await bench.source.manager()).consumers.delete(SHELF_STREAM.name, 'shelves');

  it('is read as it was until that is complete, and then has nothing that is gone', async () => {
    let read: unknown;
    await until(() => isFollowing(running));
    await loseUntold();
    bench.source.beforeAnswer = async () => void (read = await running.read());
    await loseDurable();
    await until(() => read !== undefined);
    expect(read).toEqual({
      'aisles/a00': { units: 0 },
      'shelves/s00': { units: 0 },
      'shelves/s01': { units: 1 },
      'shelves/s02': { units: 2 },
    });
    await untilEqual(running);
    expect(running.anew).toContain('durable_lost');
  });

  it('tells of what became otherwise, and of nothing else', async () => {
    await until(() => isFollowing(running));
    expect(running.changes.map(({ kind: of, key, version }) => `${of}/${key}@${version}`).sort()).toEqual([
      'aisles/a00@1',
      'shelves/s00@1',
      'shelves/s01@1',
      'shelves/s02@1',
    ]);
    running.changes.length = 0;
    await loseUntold();
    await loseDurable();
    await bench.source.change(shelf('s03', 3), aisle('a00', 7));
    await until(() => running.anew.includes('durable_lost'));
    await untilEqual(running);
    expect(running.changes).toHaveLength(3);
    expect(running.changes).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'shelves', key: 's02', value: null }),
        { kind: 'shelves', key: 's03', version: 1, value: { units: 3 } },
        { kind: 'aisles', key: 'a00', version: 2, value: { units: 7 } },
      ]),
    );
  });

  it('is so when the stream has lost facts, though none of them is of its subjects', async () => {
    await bench.source.pool.query('UPDATE relay_stream SET epoch = epoch + 1');
    await until(() => running.anew.includes('epoch_stepped'));
    await until(() => isFollowing(running));
    await untilEqual(running);
  });

  it('is so when the stream was deleted, and is filled again', async () => {
    await (await bench.source.manager()).streams.delete(SHELF_STREAM.name);
    await bench.source.change(shelf('s04', 4), shelf('s00', null));
    await bench.source.forgetRemoved();
    await until(async () => (await bench.source.epoch()) > 1);
    await untilEqual(running);
    await until(() => isFollowing(running));
  });
});

describe('a mirror in PostgreSQL', () => {
  beforeEach(() =>
    bench.source.change(...['s00', 's01', 's02', 's03', 's04', 's05', 's06'].map((code) => shelf(code, 1))),
  );

  it('goes on with the next page after a crash', async () => {
    const first = await bench.start('postgres');
    await until(() => bench.source.pagesRead.length > 0);
    const isDead = new Promise<void>((resolve) => {
      bench.source.beforeAnswer = async () => {
        bench.source.beforeAnswer = async () => {
          await first.kill();
          resolve();
        };
      };
    });
    await isDead;
    const before = [...bench.source.pagesRead];
    await bench.source.change(shelf('s00', 2), shelf('s06', null));
    const second = await bench.start('postgres');
    await untilEqual(second);
    await until(() => isFollowing(second));
    expect(second.anew).toEqual([]);
    const later = bench.source.pagesRead.slice(before.length);
    expect(later[0]).toBe(before.at(-1));
    expect(before.length).toBeGreaterThan(1);
  });

  it('is built by one of its replicas, and followed by all', async () => {
    const replicas = await Promise.all([bench.start('postgres'), bench.start('postgres')]);
    await Promise.all(replicas.map(({ mirror }) => mirror.ready()));
    expect(replicas.flatMap(({ anew }) => anew)).toEqual(['first_time']);
    await bench.source.change(...['s00', 's01', 's02', 's03', 's04', 's05'].map((code) => shelf(code, 2)));
    for (const replica of replicas) await untilEqual(replica);
    await replicas[0]?.kill();
    await bench.source.change(shelf('s06', null));
    if (replicas[1]) await untilEqual(replicas[1]);
  });

  it('is built anew when the stream no longer has the facts that it missed', async () => {
    const first = await bench.start('postgres');
    await until(() => isFollowing(first));
    await first.stop();
    await bench.source.change(shelf('s00', 5), shelf('s01', 5), shelf('s02', null), shelf('s03', 5));
    await until(() => bench.source.isTold());
    await bench.source.forgetRemoved();
    // As age does; what a relay took for a loss, it would publish again.
    await bench.source.relay.stop();
    const { streams } = await bench.source.manager();
    await streams.update(SHELF_STREAM.name, { max_msgs: 1 });
    const second = await bench.start('postgres');
    await untilEqual(second);
    expect(second.anew).toEqual(['facts_aged']);
  });

  it('sets a fact aside that is not as the contract has it, and goes on with the others', async () => {
    const letters: unknown[] = [];
    const running = await bench.start('postgres', { hooks: { onDeadLetter: (letter) => void letters.push(letter) } });
    await running.mirror.ready();
    const connection = await connectNats({ url: nats.url, name: 'stranger' });
    const subject = 'onepool.shelves.shelf.changed.v1';
    const event = { id: 'odd', key: 'odd', type: subject, subject, source: '/x', time: '2026-03-01T10:00:00.000Z' };
    await jetstream(connection).publish(subject, '{"code":"s00"}', { headers: toMessageHeaders(event) });
    await bench.source.change(shelf('s00', 9));
    await untilEqual(running);
    await until(() => letters.length > 0);
    expect(letters).toMatchObject([{ reason: 'unparsable', event: { id: 'odd' } }]);
    await connection.close();
  });
});
