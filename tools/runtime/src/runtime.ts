/**
 * Brings the system up, keeps it up and takes it down.
 *
 * Up: what a killed runtime left is ended; then build, PostgreSQL and nats-server together; then migrations, the
 * development key, the apps, the demo network. Down: apps, then NATS, then PostgreSQL.
 */
import { PortTakenError, requireFreePort, stopNatsIn, stopPostgresIn } from '@onepool/platform-local-servers';
import { Listr } from 'listr2';
import type { ListrTask, ListrTaskWrapper, DefaultRenderer, SimpleRenderer } from 'listr2';
import { readOrCreateApiKey } from './api-key.ts';
import { NATS_PORT_OFFSET, POSTGRES_PORT_OFFSET, planInstances } from './app-catalogue.ts';
import type { App, Instance } from './app-catalogue.ts';
import { homePaths, resetHome } from './home.ts';
import type { HomePaths } from './home.ts';
import { endLeftovers } from './leftovers.ts';
import { lastLines } from './log-file.ts';
import type { RuntimeOptions } from './options.ts';
import { untilReady } from './readiness.ts';
import { RuntimeRecorder, readRecord } from './runtime-record.ts';
import { seededDatabases } from './seeded-databases.ts';
import { appService, natsService, postgresService } from './services.ts';
import type { ServerService } from './services.ts';
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
}

/** Something outside us keeps the system from coming up; the message says what. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

type Step = ListrTask<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;
type StepWrapper = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

/** An app that ended this often before it was once ready will not become so. */
const ENDS_MAX = 4;

export class Runtime {
  readonly #setup: RuntimeSetup;
  readonly #tasks: typeof tasks;
  readonly #paths: HomePaths;
  readonly #instances: readonly Instance[];
  readonly #recorder: RuntimeRecorder;
  readonly #stopping = new AbortController();
  /** In the order of starting; promises, because a stop may come while one starts. */
  readonly #supervised: Promise<Supervised>[] = [];
  #databaseUrl = '';
  #natsUrl = '';
  #sku: string | undefined;

  private constructor(setup: RuntimeSetup, paths: HomePaths) {
    const { options, apps } = setup;
    this.#setup = setup;
    this.#tasks = setup.tasks ?? tasks;
    this.#paths = paths;
    this.#instances = planInstances(apps, options.portBase, options.replicas);
    const urls = Object.fromEntries(apps.map(({ name }) => [name, this.#urlsOf(name)]));
    this.#recorder = new RuntimeRecorder(paths.record, {
      portBase: options.portBase,
      apiKeyFile: paths.apiKeyFile,
      urls,
    });
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
    await this.#run([
      {
        title: 'Build and servers',
        task: (_context, step) =>
          step.newListr([this.#buildStep(), this.#postgresStep(), this.#natsStep()], { concurrent: true }),
      },
      this.#step('Migrations', (context) => this.#tasks.migrate(context, this.#databaseUrl)),
      this.#step('Development API key', async (context) => {
        readOrCreateApiKey(this.#paths.apiKeyFile);
        await this.#tasks.registerApiKey(context, this.#databaseUrl, this.#paths.apiKeyFile);
      }),
      { title: 'Apps', task: (_context, step) => step.newListr(this.#appSteps(), { concurrent: true }) },
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
    for (const group of [apps, named('nats'), named('postgres')]) await Promise.all(group.map((one) => one.stop()));
  }

  async #run(steps: Step[]): Promise<void> {
    const list = new Listr<unknown, 'default', 'simple'>(steps, {
      concurrent: false,
      exitOnError: true,
      registerSignalListeners: false,
      fallbackRenderer: 'simple',
      rendererOptions: { collapseSubtasks: false, showErrorMessage: false },
    });
    await list.run();
  }

  #step(title: string, work: (context: tasks.TaskContext, step: StepWrapper) => Promise<void>): Step {
    return { title, task: (_context, step) => work(this.#context(step), step) };
  }

  #context(step: StepWrapper): tasks.TaskContext {
    const onLine = (line: string): void => {
      step.output = line;
    };
    const { root } = this.#setup;
    return { root, logs: this.#paths.logs, recorder: this.#recorder, signal: this.#stopping.signal, onLine };
  }

  #buildStep(): Step {
    return this.#step('Build what is stale', async (context, step) => {
      const built = await this.#tasks.buildStale(context, this.#setup.apps);
      if (!built) step.title += ': nothing is';
    });
  }

  #postgresStep(): Step {
    const { options } = this.#setup;
    return this.#step('PostgreSQL', async () => {
      const port = options.portBase + POSTGRES_PORT_OFFSET;
      const service = postgresService(options.home, port, this.#recorder);
      this.#databaseUrl = options.databaseUrl ?? (await this.#serve(service));
      this.#recorder.update({ databaseUrl: this.#databaseUrl });
    });
  }

  #natsStep(): Step {
    const { options } = this.#setup;
    return this.#step('nats-server', async ({ onLine }) => {
      const service = natsService(options.home, options.portBase + NATS_PORT_OFFSET, this.#recorder, onLine);
      this.#natsUrl = options.natsUrl ?? (await this.#serve(service));
      this.#recorder.update({ natsUrl: this.#natsUrl });
    });
  }

  #appSteps(): Step[] {
    const surroundings = {
      root: this.#setup.root,
      logs: this.#paths.logs,
      databaseUrl: this.#databaseUrl,
      natsUrl: this.#natsUrl,
    };
    return this.#instances.map((instance) =>
      this.#step(`${instance.name} on ${instance.port}`, async ({ signal }) => {
        const supervised = await this.#supervise(appService(instance, surroundings, this.#recorder));
        const log = `${this.#paths.logs}/${instance.name}.log`;
        const giveUp = (): Error | undefined =>
          supervised.ends < ENDS_MAX
            ? undefined
            : new StartError(`${instance.name} does not stay up. ${log}:\n${lastLines(log)}`);
        await untilReady(`http://127.0.0.1:${instance.port}`, giveUp, signal);
      }),
    );
  }

  #seedStep(): Step {
    const { options } = this.#setup;
    const seeded = seededDatabases(this.#paths.seeded);
    const [url] = this.#urlsOf('availability');
    return {
      ...this.#step('Demo network', async (context) => {
        if (url === undefined) return;
        await this.#tasks.seed(context, url, this.#paths.apiKeyFile);
        seeded.add(options.databaseUrl);
      }),
      enabled: () => options.seed && !seeded.has(options.databaseUrl),
    };
  }

  async #serve(service: ServerService): Promise<string> {
    await this.#supervise(service).catch(namePort(service.name));
    return service.url();
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
    this.#sku = url === undefined ? undefined : await findSellableSku(url, apiKey);
    const urls = Object.fromEntries(this.#setup.apps.map(({ name }) => [name, this.#urlsOf(name)]));
    const { logs, apiKeyFile } = this.#paths;
    return renderWelcome({
      urls,
      databaseUrl: this.#databaseUrl,
      natsUrl: this.#natsUrl,
      logs,
      apiKeyFile,
      apiKey,
      sku: this.#sku,
    });
  }
}

/** Adds to a taken port what it was for and how to take others. */
function namePort(what: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof PortTakenError)) throw error;
    const advice = 'Stop that program, or set ONEPOOL_PORT_BASE to start Onepool on other ports.';
    throw new StartError(`Port ${error.port}, which ${what} needs, is taken by another program. ${advice}`, {
      cause: error,
    });
  };
}
