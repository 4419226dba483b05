/**
 * A PostgreSQL of our own below `<home>/postgres`, on the loopback interface only.
 *
 * The programs are driven directly, so the server outlives us. A later start finds it by its own `postmaster.pid`: with
 * the same command it is kept, with another it is stopped and replaced, and a file left by a dead server is ignored.
 */
import { existsSync } from 'node:fs';
import { chown, mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LocalServerError } from './local-server.ts';
import type { LocalServer } from './local-server.ts';
import { requireFreePort } from './ports.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { OWNER, makeDatabaseAndRoles, readOrCreatePasswords } from './postgres-roles.ts';
import { readPostmaster } from './postmaster-file.ts';
import { commandLine, isAlive, runsCommand, signal } from './process-table.ts';
import { privateDirectory, serverAccount } from './reachable-directory.ts';
import { adopt, asLocalServer, endProcess, launch } from './server-process.ts';
import type { Account, RunningProcess } from './server-process.ts';

export interface PostgresOptions {
  /** Directory that holds `postgres/`, `logs/` and the roles' passwords; made when absent. */
  readonly home: string;
  readonly port: number;
  /** Overrides of the durable defaults, by PostgreSQL's names: `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Its own PostgreSQL, with an address for each of its two roles (ADR 0015). */
export interface LocalPostgres extends LocalServer {
  /** Of the role that apps work as: rows only, of the schemas that were granted to it. */
  readonly url: string;
  /** Of the role that owns the schemas; a superuser, as the server is nobody else's. */
  readonly ownerUrl: string;
}

const START_DEADLINE_MS = 60_000;
const READY_POLL_MS = 20;
/** SIGINT asks PostgreSQL for a fast shutdown: sessions are ended, a checkpoint is written. */
export const POSTGRES_STOP_SIGNAL = 'SIGINT';

const DURABLE_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '256MB',
  // Availability and four more apps, four replicas of each, hold fewer than 380.
  max_connections: '400',
  max_wal_size: '2GB',
  log_lock_waits: 'on',
  // The SQLSTATE makes a deadlock (40P01) something to search for.
  log_line_prefix: '%m [%p] %e %a ',
  log_timezone: 'UTC',
  timezone: 'UTC',
};

/**
 * Starts or adopts the server, its database `onepool` and its roles; resolves when it answers a query. The passwords in the
 * home are what counts: the app's role is given the one that stands there.
 *
 * @throws PortTakenError, or LocalServerError when it cannot be started; the log file is named.
 */
export async function startPostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const account = serverAccount();
  const logs = join(options.home, 'logs');
  await mkdir(logs, { recursive: true, mode: 0o700 });
  const logFile = join(logs, 'postgres.log');
  const root = await privateDirectory(join(options.home, 'postgres'), account);
  const binaries = await postgresBinaries(account);
  const passwords = await readOrCreatePasswords(options.home);
  const data = join(root, 'data');
  if (!existsSync(data))
    await initialise({ binaries, root, data, password: passwords.owner, account, settings: options.settings });

  const args = serverArguments(data, options);
  const command = { path: binaries.postgres, args, account, logFile };
  const found = await existingServer(data, [command.path, ...args]);
  if (found === undefined) await requireFreePort(options.port);
  const running = found ?? (await launchUntilReady(data, () => launch(command), logFile));
  const { url, ownerUrl } = await makeDatabaseAndRoles(options.port, passwords);
  const facts = { url, port: options.port, logFile, adopted: found !== undefined };
  return Object.freeze({ ...asLocalServer(running, facts, POSTGRES_STOP_SIGNAL), ownerUrl });
}

/** Stops the server that runs on `<home>/postgres`, if any, without ceremony; for what a crashed run left behind. */
export async function stopPostgresIn(home: string): Promise<void> {
  const root = await realpath(join(home, 'postgres')).catch(() => undefined);
  if (root === undefined) return;
  const data = join(root, 'data');
  const postmaster = await readPostmaster(data);
  if (postmaster && isAlive(postmaster.pid) && commandLine(postmaster.pid)?.includes(data)) {
    await endProcess(postmaster.pid, 'SIGQUIT');
  }
}

function serverArguments(data: string, options: PostgresOptions): string[] {
  const settings = { ...DURABLE_SETTINGS, ...options.settings };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', data, '-p', String(options.port), ...flags];
}

interface Initialisation {
  readonly binaries: PostgresBinaries;
  readonly root: string;
  readonly data: string;
  readonly password: string;
  readonly account: Account | undefined;
  readonly settings: Readonly<Record<string, string>> | undefined;
}

/** Makes the cluster beside its place and renames it, so that one cut short is never taken for a whole one. */
async function initialise({ binaries, root, data, password, account, settings }: Initialisation): Promise<void> {
  const draft = `${data}.draft`;
  const passwordFile = join(root, 'initial-password');
  await rm(draft, { recursive: true, force: true });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account) await chown(passwordFile, account.uid, account.gid);
  const args = ['-D', draft, '-U', OWNER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'];
  args.push('--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--no-instructions');
  if (settings?.['fsync'] === 'off') args.push('--no-sync');
  // The owner's password is hashed here, before the server has its command line.
  const iterations = settings?.['scram_iterations'];
  if (iterations) args.push('--set', `scram_iterations=${iterations}`);
  try {
    await promisify(execFile)(binaries.initdb, args, {
      cwd: '/',
      env: { PATH: process.env['PATH'], TZ: 'UTC' },
      ...account,
    });
  } catch (cause) {
    throw new LocalServerError(`PostgreSQL's initdb failed in ${root}: ${(cause as Error).message}`, { cause });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, data);
}

/** The server that runs on this data directory with exactly this command; one with another command is stopped. */
async function existingServer(data: string, command: readonly string[]): Promise<RunningProcess | undefined> {
  const postmaster = await readPostmaster(data);
  if (postmaster === undefined || !isAlive(postmaster.pid)) return undefined;
  const { pid } = postmaster;
  if (runsCommand(pid, command)) {
    signal(pid, 'SIGCONT');
    await untilReady(data, adopt(pid), Date.now() + START_DEADLINE_MS);
    if (isAlive(pid)) return adopt(pid);
  }
  if (commandLine(pid)?.includes(data)) await endProcess(pid, POSTGRES_STOP_SIGNAL);
  // The number belongs to a stranger now; PostgreSQL would take him for a server and refuse to start.
  else await rm(join(data, 'postmaster.pid'), { force: true });
  return undefined;
}

/**
 * A server that was killed leaves back ends which hold its shared memory until they notice, and the next server refuses
 * to start beside them: so a start that fails is repeated for some seconds.
 */
async function launchUntilReady(data: string, start: () => RunningProcess, logFile: string): Promise<RunningProcess> {
  const deadline = Date.now() + START_DEADLINE_MS;
  for (let attempt = 0; attempt < 40 && Date.now() < deadline; attempt += 1) {
    const running = start();
    if (await untilReady(data, running, deadline)) return running;
    if (isAlive(running.pid)) await endProcess(running.pid, 'SIGQUIT');
    await delay(100 + attempt * 10);
  }
  throw new LocalServerError(`PostgreSQL does not start; see ${logFile}.`);
}

/** Waits until the server's own file says it is ready; false when it ended or the deadline passed first. */
async function untilReady(data: string, running: RunningProcess, deadline: number): Promise<boolean> {
  let ended = false;
  void running.exited.then(() => (ended = true));
  while (!ended && Date.now() < deadline) {
    const postmaster = await readPostmaster(data);
    if (postmaster?.pid === running.pid && postmaster.ready) return true;
    await delay(READY_POLL_MS);
  }
  return false;
}
