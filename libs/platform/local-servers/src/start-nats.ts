/**
 * A nats-server of our own below `<home>/nats`, JetStream on, on the loopback interface only. Like PostgreSQL it
 * outlives us, and a later start keeps it, or stops and replaces it when it was started otherwise.
 */
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findNatsServer } from './find-nats-server.ts';
import { LocalServerError } from './local-server.ts';
import type { LocalServer } from './local-server.ts';
import { natsServerName, renderNatsConfig } from './nats-config.ts';
import { readNatsGreeting } from './nats-greeting.ts';
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
  /** The program, when it has been looked for already. */
  readonly program?: FoundProgram;
  readonly onProgress?: (message: string) => void;
}

const START_DEADLINE_MS = 30_000;
const READY_POLL_MS = 20;
const STOP_SIGNAL = 'SIGINT';

/**
 * Starts or adopts the server; resolves when it greets with JetStream on.
 *
 * @throws PortTakenError, or LocalServerError when no program is found or the server does not start; the log file is named.
 */
export async function startNats(options: NatsOptions): Promise<LocalServer> {
  const { home, port } = options;
  const program =
    options.program ?? (await findNatsServer(options.onProgress ? { onProgress: options.onProgress } : {}));
  await mkdir(join(home, 'logs'), { recursive: true });
  await mkdir(join(home, 'nats'), { recursive: true, mode: 0o700 });
  const root = await realpath(join(home, 'nats'));
  const places = { store: join(root, 'jetstream'), pidFile: join(root, 'nats.pid') };
  const configFile = join(root, 'nats.conf');
  const logFile = join(home, 'logs', 'nats.log');
  const config = renderNatsConfig({
    port,
    ...places,
    syncInterval: options.syncInterval ?? '2m',
    version: program.version,
  });

  const unchanged = (await readFile(configFile, 'utf8').catch(() => '')) === config;
  const command = { path: program.path, args: ['-c', configFile], logFile };
  const found = await existingServer(
    places.pidFile,
    configFile,
    unchanged ? [command.path, ...command.args] : undefined,
  );
  await writeFile(configFile, config);
  if (found === undefined) await requireFreePort(port);
  const running = found ?? launch(command);
  await untilReady(running, port, logFile);
  const facts = { url: `nats://127.0.0.1:${port}`, port, logFile, adopted: found !== undefined };
  return asLocalServer(running, facts, STOP_SIGNAL);
}

/** Stops the server that runs on `<home>/nats`, if any; for what a crashed run left behind. */
export async function stopNatsIn(home: string): Promise<void> {
  const root = await realpath(join(home, 'nats')).catch(() => undefined);
  if (root !== undefined) await existingServer(join(root, 'nats.pid'), join(root, 'nats.conf'), undefined);
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

async function untilReady(running: RunningProcess, port: number, logFile: string): Promise<void> {
  let ended = false;
  void running.exited.then(() => (ended = true));
  const deadline = Date.now() + START_DEADLINE_MS;
  while (!ended && Date.now() < deadline) {
    const greeting = await readNatsGreeting(port);
    if (greeting?.serverName === natsServerName(port) && greeting.jetstream) return;
    await delay(READY_POLL_MS);
  }
  throw new LocalServerError(`nats-server does not start on port ${port}; see ${logFile}.`);
}
