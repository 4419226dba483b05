/** What the figures were measured on. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { connectNats, natsAddressAt } from '@onepool/platform-messaging';
import { median, percentile } from '../measuring/statistics.ts';
import { withClient } from './database.ts';
import type { Servers } from './servers.ts';

export type Environment = Readonly<Record<string, string | number>>;

const SETTINGS = [
  'synchronous_commit',
  'fsync',
  'full_page_writes',
  'wal_sync_method',
  'wal_compression',
  'commit_delay',
  'shared_buffers',
  'max_wal_size',
  'checkpoint_timeout',
  'max_connections',
  'autovacuum',
  'jit',
];
const SYNC_SECONDS = 0.5;
const PAGE_BYTES = 8_192;

export async function describeEnvironment(servers: Servers): Promise<Environment> {
  const postgres = await withClient({ ownerUrl: servers.databaseUrl, schema: 'public' }, async (client) => {
    const { rows } = await client.query<{ name: string; value: string }>(
      `SELECT name, current_setting(name) AS value FROM pg_settings WHERE name = ANY($1::text[]) ORDER BY name`,
      [SETTINGS],
    );
    const version = await client.query<{ server_version: string }>('SHOW server_version');
    const commits = await timeCommits((sql) => client.query(sql));
    return { settings: rows, version: version.rows[0]?.server_version ?? '?', commits };
  });
  return {
    cpu: cpus()[0]?.model ?? '?',
    cores: availableParallelism(),
    memory_gb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    postgres: postgres.version,
    ...Object.fromEntries(postgres.settings.map(({ name, value }) => [`postgres.${name}`, value])),
    ...(servers.postmaster === null ? {} : timeSyncs(servers.home)),
    ...postgres.commits,
  };
}

export async function natsVersion(url: string): Promise<string> {
  const connection = await connectNats({ ...natsAddressAt(url, process.env), name: 'bench', giveUpAfterMs: 10_000 });
  try {
    return connection.info?.version ?? '?';
  } finally {
    await connection.close();
  }
}

/** Writes and syncs one page again and again, on the disk of the server's log. */
function timeSyncs(home: string): Environment {
  const file = join(home, 'sync-probe');
  const descriptor = openSync(file, 'w');
  const page = Buffer.alloc(PAGE_BYTES, 1);
  const microseconds: number[] = [];
  try {
    for (const end = performance.now() + SYNC_SECONDS * 1_000; performance.now() < end;) {
      const begun = performance.now();
      writeSync(descriptor, page, 0, PAGE_BYTES, 0);
      fdatasyncSync(descriptor);
      microseconds.push((performance.now() - begun) * 1_000);
    }
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
  return {
    'fdatasync_8kb_us.median': Math.round(median(microseconds)),
    'fdatasync_8kb_us.p99': Math.round(percentile(microseconds, 0.99)),
  };
}

/** Commits of one tiny row, one after the other, over one connection. */
async function timeCommits(query: (sql: string) => Promise<unknown>): Promise<Environment> {
  const table = `onepool_bench_probe_${process.pid}`;
  const microseconds: number[] = [];
  await query(`CREATE TABLE ${table} (value integer)`);
  try {
    for (const end = performance.now() + SYNC_SECONDS * 1_000; performance.now() < end;) {
      const begun = performance.now();
      await query(`INSERT INTO ${table} VALUES (1)`);
      microseconds.push((performance.now() - begun) * 1_000);
    }
  } finally {
    await query(`DROP TABLE ${table}`);
  }
  return {
    'commit_us.median': Math.round(median(microseconds)),
    'commit_us.p99': Math.round(percentile(microseconds, 0.99)),
  };
}
