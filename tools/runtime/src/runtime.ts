/**
 * Brings the system up, keeps it up and takes it down.
 *
 * Up: what a killed runtime left is ended; then build, PostgreSQL and nats-server together; then migrations, the
 * development key, the apps, the demo network. Down: apps, then NATS, then PostgreSQL.
 */
import { mkdirSync } from 'node:fs';
import {
  PortForbiddenError,
  PortTakenError,
  natsUrlFor,
  natsWarning,
  requireFreePort,
  stopNatsIn,
  stopPostgresIn,
} from '@onepool/platform-local-servers';
import type { FoundProgram, LocalServer } from '@onepool/platform-local-servers';
import { NATS_SETTINGS } from '@onepool/platform-messaging';
import { readOrCreateApiKey } from './api-key.ts';
import { NATS_PORT_OFFSET, POSTGRES_PORT_OFFSET, planInstances } from './app-catalogue.ts';
import type { App, Instance } from './app-catalogue.ts';
import { homePaths, resetHome } from './home.ts';
import type { HomePaths } from './home.ts';
import { endLeftovers } from './leftovers.ts';
import { lastLines } from './log-file.ts';
import { LogKeeper } from './log-keeper.ts';
import type { LogKeeperOptions } from './log-keeper.ts';
import { keepDurables } from './nats/durables.ts';
import type { DurableKeeper } from './nats/durables.ts';
import { ensureNatsUsers } from './nats/nats-users.ts';
import type { RuntimeOptions } from './options.ts';
import { requireNats, requirePostgres } from './outside-servers.ts';
import { untilReady } from './readiness.ts';
import { RuntimeRecorder, readRecord } from './runtime-record.ts';
import { seededDatabases } from './seeded-databases.ts';
import { appService, natsService, postgresService } from './services.ts';
import type { ServerService } from './services.ts';
import { StartError } from './start-error.ts';
import { StartSteps } from './start-steps.ts';
import type { Step, StepVoice } from './start-steps.ts';
import { Supervised } from './supervised.ts';
import type { Report, Service } from './supervised.ts';
import * as tasks from './tasks.ts';
import { findSellableSku, renderWelcome } from './welcome.ts';

export interface RuntimeSetup {
  readonly options: RuntimeOptions;
  /** The workspace's root. */
  readonly root: string;
  readonly apps: readonly App[];
  readonly report: Report;
  /** The programs that run once at a start; a test puts others in their place. */
  readonly tasks?: typeof tasks;
  /** Overrides of our PostgreSQL's settings; a test need not wait for the disk. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
  /** When logs are set aside. */
  readonly logs?: LogKeeperOptions;
}

/** An app that ended this often before it was once ready will not become so. */
const ENDS_MAX = 4;

export class Runtime {
  readonly #setup: RuntimeSetup;
  readonly #tasks: typeof tasks;
  readonly #paths: HomePaths;
  readonly #instances: readonly Instance[];
  readonly #recorder: RuntimeRecorder;
  readonly #logKeeper: LogKeeper;
  readonly #stopping = new AbortController();
  readonly #steps = new StartSteps();
  /** In the order of starting; promises, because a stop may come while one starts. */
  readonly #supervised: Promise<Supervised>[] = [];
  #database: tasks.DatabaseAddresses = { databaseUrl: '', databaseOwnerUrl: '' };
  #natsUrl = '';
  #durables: DurableKeeper | undefined;

  private constructor(setup: RuntimeSetup, paths: HomePaths) {
    const { options, apps } = setup;
    this.#setup = setup;
    this.#tasks = setup.tasks ?? tasks;
    this.#paths = paths;
    this.#instances = planInstances(apps, options.portBase, options.replicas);
    const urls = Object.fromEntries(apps.map(({ name }) => [name, this.#urlsOf(name)]));
    this.#recorder = new RuntimeRecorder(
      paths.record,
      { portBase: options.portBase, apiKeyFile: paths.apiKeyFile, urls },
      { report: setup.report },
    );
    this.#logKeeper = new LogKeeper(paths.logs, setup.report, setup.logs);
  }

  /** Ends what is left of an earlier runtime on this home. The caller holds the home's lock. */
  static async prepare(setup: RuntimeSetup): Promise<Runtime> {
    const { options, report } = setup;
    const paths = homePaths(options.home);
    const ended = await endLeftovers(readRecord(paths.record));
    if (ended.length > 0) report(`ended what an earlier start left running: ${ended.join(', ')}`);
    if (options.reset) await resetHome(paths);
    if (options.databaseUrl !== undefined) await stopPostgresIn(options.home);
    if (options.natsUrl !== undefined) await stopNatsIn(options.home);
    return new Runtime(setup, paths);
  }

  /** Resolves with the text to show when everything is ready. @throws when a step fails or `stop` is called. */
  async start(): Promise<string> {
    for (const { name, port } of this.#instances) await requireFreePort(port).catch(namePort(name));
    const steps = this.#steps;
    await steps.run([
      steps.together('Build and servers', () => [this.#buildStep(), this.#postgresStep(), this.#natsStep()]),
      steps.step('Migrations', async (voice) => {
        await this.#tasks.migrate(this.#taskContext(voice), this.#database, this.#setup.apps);
        // Only now, since migrating may make the role that the apps work as.
        if (this.#setup.options.databaseUrl !== undefined) {
          await requirePostgres(this.#database.databaseUrl, 'DATABASE_URL');
        }
      }),
      steps.step('Development API key', async (voice) => {
        readOrCreateApiKey(this.#paths.apiKeyFile);
        await this.#tasks.registerApiKey(this.#taskContext(voice), this.#database, this.#paths.apiKeyFile);
      }),
      steps.together('Apps', () => this.#appSteps()),
      this.#seedStep(),
    ]);
    this.#recorder.update({ ready: true });
    return this.#welcome();
  }

  /** Ends everything, in the reverse order of need; may be called at any time, also while starting. */
  async stop(): Promise<void> {
    this.#stopping.abort(new StartError('stopped'));
    this.#recorder.update({ ready: false });
    const settled = await Promise.allSettled(this.#supervised);
    const running = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const named = (...names: string[]) => running.filter(({ name }) => names.includes(name));
    const apps = running.filter(({ name }) => name !== 'nats' && name !== 'postgres');
    await this.#durables?.stop();
    for (const group of [apps, named('nats'), named('postgres')]) await Promise.all(group.map((one) => one.stop()));
    this.#logKeeper.stop();
  }

  #taskContext({ say }: StepVoice): tasks.TaskContext {
    const { root } = this.#setup;
    return { root, logs: this.#paths.logs, recorder: this.#recorder, signal: this.#stopping.signal, onLine: say };
  }

  #buildStep(): Step {
    return this.#steps.step('Build what is stale', async (voice) => {
      const built = await this.#tasks.buildStale(this.#taskContext(voice), this.#setup.apps);
      if (!built) voice.note(': nothing is');
    });
  }

  #postgresStep(): Step {
    const { options } = this.#setup;
    return this.#steps.step('PostgreSQL', async ({ note }) => {
      const { databaseUrl, databaseOwnerUrl = databaseUrl } = options;
      if (databaseUrl === undefined || databaseOwnerUrl === undefined) this.#database = await this.#servePostgres();
      else {
        const setting = databaseOwnerUrl === databaseUrl ? 'DATABASE_URL' : 'DATABASE_OWNER_URL';
        note(` of ${setting}: ${await requirePostgres(databaseOwnerUrl, setting)}`);
        this.#database = { databaseUrl, databaseOwnerUrl };
      }
      this.#recorder.update(this.#database);
    });
  }

  async #servePostgres(): Promise<tasks.DatabaseAddresses> {
    const { options, postgresSettings = {} } = this.#setup;
    const port = options.portBase + POSTGRES_PORT_OFFSET;
    const { url, ownerUrl } = await this.#serve(postgresService(options.home, port, postgresSettings, this.#recorder));
    return { databaseUrl: url, databaseOwnerUrl: ownerUrl };
  }

  #natsStep(): Step {
    const { options } = this.#setup;
    return this.#steps.step('nats-server', async ({ say, note }) => {
      if (options.natsUrl !== undefined) note(` of NATS_URL: ${await requireNats(options.natsUrl)}`);
      const voice = { onProgress: say, onFound: (program: FoundProgram) => this.#tellProgram(program, note) };
      const service = natsService(this.#paths, options.portBase + NATS_PORT_OFFSET, this.#recorder, voice);
      this.#natsUrl = options.natsUrl ?? (await this.#serve(service)).url;
      this.#recorder.update({ natsUrl: this.#natsUrl });
      if (options.natsUrl === undefined) await this.#keepDurables();
    });
  }

  async #keepDurables(): Promise<void> {
    const { report } = this.#setup;
    const readUsers = () => ensureNatsUsers(this.#paths.natsUsers);
    this.#durables = await keepDurables(this.#natsUrl, readUsers, (error) =>
      report(`a durable consumer could not be made: ${(error as Error).message}`),
    );
  }

  /** Our own NATS knows each app by its name. Of another's we were told the address, and the apps inherit the rest. */
  #natsVariablesOf(app: string): Readonly<Record<string, string>> {
    if (this.#setup.options.natsUrl !== undefined) return { NATS_URL: this.#natsUrl };
    const user = ensureNatsUsers(this.#paths.natsUsers).find(({ name }) => name === app);
    const url = user === undefined ? this.#natsUrl : natsUrlFor(this.#natsUrl, user);
    const others = Object.keys(NATS_SETTINGS).map((name) => [name, ''] as const);
    // What apps may not make for themselves there, we keep in place.
    return { ...Object.fromEntries(others), NATS_URL: url, NATS_PROVISIONED: 'true' };
  }

  #failpoints(): { plan: string; killed: string } | undefined {
    const { failpoints: plan } = this.#setup.options;
    const { killed } = this.#paths;
    if (plan === undefined) return undefined;
    mkdirSync(killed, { recursive: true, mode: 0o700 });
    this.#setup.report(`the apps are broken on purpose: ${plan}`);
    return { plan, killed };
  }

  #appSteps(): Step[] {
    const surroundings = {
      root: this.#setup.root,
      logs: this.#paths.logs,
      databaseUrl: this.#database.databaseUrl,
      natsVariablesOf: (app: string) => this.#natsVariablesOf(app),
      failpoints: this.#failpoints(),
    };
    return this.#instances.map((instance) =>
      this.#steps.step(`${instance.name} on ${instance.port}`, async ({ say }) => {
        const supervised = await this.#supervise(appService(instance, surroundings, this.#recorder));
        const log = `${this.#paths.logs}/${instance.name}.log`;
        const giveUp = (): Error | undefined =>
          supervised.ends < ENDS_MAX
            ? undefined
            : new StartError(`${instance.name} does not stay up. ${log}:\n${lastLines(log)}`);
        await untilReady(`http://127.0.0.1:${instance.port}`, { giveUp, signal: this.#stopping.signal, say });
      }),
    );
  }

  #seedStep(): Step {
    const { options } = this.#setup;
    const seeded = seededDatabases(this.#paths.seeded, this.#setup.report);
    return {
      ...this.#steps.step('Demo network', async (voice) => {
        for (const app of this.#setup.apps) {
          const [url] = this.#urlsOf(app.name);
          if (url !== undefined) await this.#tasks.seed(this.#taskContext(voice), app, url, this.#paths.apiKeyFile);
        }
        seeded.add(options.databaseUrl);
      }),
      enabled: () => options.seed && !seeded.has(options.databaseUrl),
    };
  }

  /** Told once: the same program is found at every restart. */
  #tellProgram(program: FoundProgram, note: (text: string) => void): void {
    if (this.#natsUrl !== '') return;
    const { version, source, path } = program;
    note(`: ${version}, from ${source ?? path}`);
    const warning = natsWarning(program);
    if (warning !== undefined) this.#setup.report(warning);
  }

  async #serve<Server extends LocalServer>(service: ServerService<Server>): Promise<Server> {
    await this.#supervise(service).catch(namePort(service.name));
    return service.server();
  }

  #supervise(service: Service): Promise<Supervised> {
    this.#stopping.signal.throwIfAborted();
    const started = Supervised.start(service, this.#setup.report);
    this.#supervised.push(started);
    return started;
  }

  #urlsOf(app: string): readonly string[] {
    return this.#instances.filter((instance) => instance.app === app).map(({ port }) => `http://127.0.0.1:${port}`);
  }

  async #welcome(): Promise<string> {
    const apiKey = readOrCreateApiKey(this.#paths.apiKeyFile);
    const [url] = this.#urlsOf('availability');
    const sku = url === undefined ? undefined : await findSellableSku(url, apiKey);
    const urls = Object.fromEntries(this.#setup.apps.map(({ name }) => [name, this.#urlsOf(name)]));
    const { logs, apiKeyFile } = this.#paths;
    return renderWelcome({
      urls,
      databaseUrl: this.#database.databaseUrl,
      natsUrl: this.#natsUrl,
      recordFile: this.#paths.record,
      natsUsersFile: this.#setup.options.natsUrl === undefined ? this.#paths.natsUsers : undefined,
      logs,
      apiKeyFile,
      apiKey,
      sku,
    });
  }
}

/** Adds to a port that cannot be had what it was for and how to take others. */
function namePort(what: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof PortForbiddenError) {
      const advice = 'Set ONEPOOL_PORT_BASE to 1024 or more.';
      throw new StartError(`Port ${error.port}, which ${what} needs, is kept from this user. ${advice}`, {
        cause: error,
      });
    }
    if (!(error instanceof PortTakenError)) throw error;
    const advice = 'Stop that program, or set ONEPOOL_PORT_BASE to start Onepool on other ports.';
    throw new StartError(`Port ${error.port}, which ${what} needs, is taken by another program. ${advice}`, {
      cause: error,
    });
  };
}
