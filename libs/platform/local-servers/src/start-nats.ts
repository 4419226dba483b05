/**
 * A nats-server of our own below `<home>/nats`, JetStream on, on the loopback interface only. Like PostgreSQL it
 * outlives us, and a later start keeps it, or stops and replaces it when it was started otherwise.
 */
import { mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findNatsServer } from './find-nats-server.ts';
import { LocalServerError } from './local-server.ts';
import type { LocalServer } from './local-server.ts';
import { natsUrlFor, renderNatsAccounts } from './nats-accounts.ts';
import type { NatsAccount, NatsCredentials } from './nats-accounts.ts';
import { natsServerName, portIn, renderNatsConfig } from './nats-config.ts';
import { readNatsGreeting, takesCredentials } from './nats-greeting.ts';
import { requireFreePort } from './ports.ts';
import { commandLine, isAlive, runsCommand, signal } from './process-table.ts';
import type { FoundProgram } from './program-search.ts';
import { adopt, asLocalServer, endProcess, launch } from './server-process.ts';
import type { RunningProcess } from './server-process.ts';

export interface NatsOptions {
  /** Directory that holds `nats/` and `logs/`; made when absent. */
  readonly home: string;
  readonly port: number;
  /** How often JetStream syncs to disk; two minutes, the server's own default, because the outbox can rebuild it. */
  readonly syncInterval?: string;
  /**
   * Who may log in, and do what; the first user of the first account is in the server's `url`. Anybody may do
   * everything unless given. A running server takes a change over without dropping a connection that is still allowed.
   */
  readonly accounts?: readonly NatsAccount[];
  /** The program, when it has been looked for already. */
  readonly program?: FoundProgram;
  readonly onProgress?: (message: string) => void;
}

const START_DEADLINE_MS = 30_000;
const RELOAD_DEADLINE_MS = 60_000;
const CONFIG_FILE = 'nats.conf';
const ACCOUNTS_FILE = 'accounts.conf';
const READY_POLL_MS = 20;
const STOP_SIGNAL = 'SIGINT';

/**
 * Starts or adopts the server; resolves when it greets with JetStream on.
 *
 * @throws PortTakenError, or LocalServerError when no program is found or the server does not start; the log file is named.
 */
export async function startNats(options: NatsOptions): Promise<LocalServer> {
  const { home, port, accounts } = options;
  const program =
    options.program ?? (await findNatsServer(options.onProgress ? { onProgress: options.onProgress } : {}));
  await mkdir(join(home, 'logs'), { recursive: true, mode: 0o700 });
  await mkdir(join(home, 'nats'), { recursive: true, mode: 0o700 });
  const root = await realpath(join(home, 'nats'));
  const places = { store: join(root, 'jetstream'), pidFile: join(root, 'nats.pid') };
  const configFile = join(root, CONFIG_FILE);
  const logFile = logOf(home);
  const config = renderNatsConfig({
    port,
    ...places,
    syncInterval: options.syncInterval ?? '2m',
    version: program.version,
    accountsFile: accounts === undefined ? undefined : ACCOUNTS_FILE,
  });
  const rendered = accounts === undefined ? undefined : renderNatsAccounts(accounts);

  const unchanged = (await readFile(configFile, 'utf8').catch(() => '')) === config;
  const command = { path: program.path, args: ['-c', configFile], logFile };
  const expected = unchanged ? [command.path, ...command.args] : undefined;
  const found = await existingServer(places.pidFile, configFile, expected);
  // Where nothing changed there is nothing to write, and a full disk stands in nobody's way.
  if (!unchanged) await replaceFile(configFile, config);
  if (rendered) await replaceFile(join(root, ACCOUNTS_FILE), rendered.text);
  let running = found;
  if (found && rendered && !(await takesOver(found.pid, port, rendered.witness))) {
    await endProcess(found.pid, STOP_SIGNAL);
    running = undefined;
  }
  if (running === undefined) await requireFreePort(port);
  const adopted = running !== undefined;
  running ??= launch(command);
  await untilReady(running, port, logFile, rendered?.witness);
  const facts = { url: urlOf(port, accounts), port, logFile, adopted };
  return asLocalServer(running, facts, STOP_SIGNAL);
}

const logOf = (home: string): string => join(home, 'logs', 'nats.log');

function urlOf(port: number, accounts: readonly NatsAccount[] = []): string {
  const plain = `nats://127.0.0.1:${port}`;
  const first = accounts[0]?.users[0];
  return first === undefined ? plain : natsUrlFor(plain, first);
}

/** Whole or not at all, since the server may read it at any time; readable by its owner only, for its passwords. */
async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.draft`;
  await rm(draft, { force: true });
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, file);
}

/**
 * Gives the server that runs on `<home>/nats` other accounts, without a restart.
 *
 * @throws LocalServerError when none runs there with accounts, or it does not take them over.
 */
export async function changeNatsAccounts(home: string, port: number, accounts: readonly NatsAccount[]): Promise<void> {
  const running = await runningIn(home);
  if (running === undefined) throw new LocalServerError(`No nats-server of ours runs on ${home}.`);
  const { root, pid } = running;
  const { text, witness } = renderNatsAccounts(accounts);
  await replaceFile(join(root, ACCOUNTS_FILE), text);
  if (await takesOver(pid, port, witness)) return;
  throw new LocalServerError(`The nats-server on port ${port} does not take new users; see ${logOf(home)}.`);
}

/** The port of the server that runs on `<home>/nats`, or undefined when none does. */
export async function natsPortIn(home: string): Promise<number | undefined> {
  const running = await runningIn(home);
  return running && portIn(await readFile(join(running.root, CONFIG_FILE), 'utf8'));
}

async function runningIn(home: string): Promise<{ readonly root: string; readonly pid: number } | undefined> {
  const root = await realpath(join(home, 'nats')).catch(() => undefined);
  if (root === undefined) return undefined;
  const pid = Number(await readFile(join(root, 'nats.pid'), 'utf8').catch(() => '0'));
  return commandLine(pid)?.includes(join(root, CONFIG_FILE)) ? { root, pid } : undefined;
}

/** Makes a running server load the accounts that were just written, unless it has; false when it does not. */
async function takesOver(pid: number, port: number, witness: NatsCredentials): Promise<boolean> {
  if (await takesCredentials(port, witness)) return true;
  signal(pid, 'SIGHUP');
  const deadline = Date.now() + RELOAD_DEADLINE_MS;
  while (isAlive(pid) && Date.now() < deadline) {
    if (await takesCredentials(port, witness)) return true;
    await delay(READY_POLL_MS);
  }
  return false;
}

/** Stops the server that runs on `<home>/nats`, if any; for what a crashed run left behind. */
export async function stopNatsIn(home: string): Promise<void> {
  const root = await realpath(join(home, 'nats')).catch(() => undefined);
  if (root !== undefined) await existingServer(join(root, 'nats.pid'), join(root, CONFIG_FILE), undefined);
}

/** The server that reads this configuration and runs exactly `command`; one with another command is stopped. */
async function existingServer(
  pidFile: string,
  configFile: string,
  command: readonly string[] | undefined,
): Promise<RunningProcess | undefined> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => '0'));
  if (!(pid > 0) || !isAlive(pid)) return undefined;
  if (command !== undefined && runsCommand(pid, command)) {
    signal(pid, 'SIGCONT');
    return adopt(pid);
  }
  if (commandLine(pid)?.includes(configFile)) await endProcess(pid, STOP_SIGNAL);
  return undefined;
}

async function untilReady(
  running: RunningProcess,
  port: number,
  logFile: string,
  witness: NatsCredentials | undefined,
): Promise<void> {
  let ended = false;
  void running.exited.then(() => (ended = true));
  const deadline = Date.now() + START_DEADLINE_MS;
  while (!ended && Date.now() < deadline) {
    const greeting = await readNatsGreeting(port);
    const isOurs = greeting?.serverName === natsServerName(port) && greeting.jetstream;
    if (isOurs && (witness === undefined || (await takesCredentials(port, witness)))) return;
    await delay(READY_POLL_MS);
  }
  throw new LocalServerError(`nats-server does not start on port ${port}; see ${logFile}.`);
}
