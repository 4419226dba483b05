/** A small app on real HTTP and real NATS that can be told how to fail. It keeps what it was asked. */
import type { NatsConnection } from '@nats-io/transport-node';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type AppContract, PageQuery, snapshotPageOf, snapshotsOf } from '@onepool/contracts';
import { IdentityCache, installAuth } from '@onepool/platform-auth';
import { UploadPlaces } from '@onepool/platform-http';
import { connectNats, natsMicroserviceOptions } from '@onepool/platform-messaging';
import { type Call, Serve, installOperations } from '@onepool/platform-operations';
import { defineProblems, installProblemHandling, parseJsonBody, toRpcProblem } from '@onepool/platform-problem';
import { FixedIdentity } from '@onepool/testing-identity';
import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { type ReadShelves, SHELF_FACTS, Shelf } from './shelf-source.ts';

const problems = { 'shelf.full': { status: 409, title: 'The shelf is full', retryable: true } } as const;
const counted = Type.Object({ bytes: Type.Integer() });
const units = Type.Object({ units: Type.Integer() });
const pagesOf = <S extends string>(things: S) => ({
  summary: things,
  http: { method: 'GET', path: `/v1/snapshots/${things}`, success: 200 } as const,
  subject: `onepool.rpc.shelves.snapshots.${things}.v1`,
  scope: 'shelves:use' as const,
  query: PageQuery,
  response: snapshotPageOf(Shelf),
  problems: [],
});

const OPERATIONS = {
  shelfPages: pagesOf('shelves'),
  aislePages: pagesOf('aisles'),
} as const;

export const SHELVES = {
  name: 'shelves',
  title: 'Shelves',
  description: 'A small app.',
  scopes: { 'shelves:use': { may: 'use shelves' } },
  operations: {
    ...OPERATIONS,
    fill: {
      summary: 'Fill a shelf',
      http: { method: 'POST', path: '/v1/shelves/{shelf}', success: 201 },
      subject: 'onepool.rpc.shelves.shelf.fill.v1',
      idempotency: 'id',
      scope: 'shelves:use',
      params: Type.Object({ shelf: Type.String() }),
      query: Type.Object({ dry: Type.Optional(Type.Boolean()) }),
      body: Type.Object({ id: Type.String(), units: Type.Integer() }),
      response: Type.Object({ shelf: Type.String(), units: Type.Integer(), dry: Type.Boolean() }),
      problems: ['shelf.full'],
    },
    shake: {
      summary: 'Shake a shelf',
      http: { method: 'POST', path: '/v1/shake', success: 200 },
      subject: 'onepool.rpc.shelves.shelf.shake.v1',
      scope: 'shelves:use',
      body: units,
      response: units,
      problems: [],
    },
    look: {
      summary: 'Look at a shelf',
      http: { method: 'GET', path: '/v1/shelves/{shelf}', success: 200 },
      subject: 'onepool.rpc.shelves.shelf.look.v1',
      scope: 'shelves:use',
      params: Type.Object({ shelf: Type.String() }),
      response: Type.Object({ shelf: Type.String() }),
      problems: [],
    },
    importShelves: {
      summary: 'Import shelves',
      http: { method: 'POST', path: '/v1/import', success: 200 },
      idempotency: 'natural',
      scope: 'shelves:use',
      csvColumns: ['shelf'],
      response: counted,
      problems: [],
    },
    pour: {
      summary: 'Pour',
      http: { method: 'POST', path: '/v1/pour', success: 202 },
      idempotency: 'natural',
      scope: 'shelves:use',
      stream: { contentTypes: ['application/x-ndjson', 'text/csv'], row: Type.Object({}), description: '' },
      response: counted,
      problems: [],
    },
  },
  examples: {},
  problems,
  modules: [
    {
      scope: 'shelves',
      facts: SHELF_FACTS,
      snapshots: snapshotsOf(OPERATIONS, SHELF_FACTS, {
        shelves: { pages: 'shelfPages', key: 'code', facts: { shelfChanged: 'state', shelfRemoved: 'state' } },
        aisles: { pages: 'aislePages', key: 'code', facts: { aisleChanged: 'state' } },
      }),
      parts: [],
    },
  ],
  consumes: [],
  schemas: [],
} as const satisfies AppContract;
type Ops = typeof SHELVES.operations;

/** What the app does with a call, once it has it: `cut` and `hang` come after the effect. */
export type Behaviour = 'answer' | 'cut' | 'hang' | Parameters<typeof catalogue.problem>[0];
const catalogue = defineProblems(problems);

/** The behaviours of the calls to come, and the calls so far. */
const script: { next: Behaviour[]; readonly calls: unknown[] } = { next: [], calls: [] };
/** At once, and later than any call waits. */
const AGAIN: Readonly<Record<string, { readonly retryAfterSeconds: number }>> = {
  'limit.rate': { retryAfterSeconds: 0 },
  'service.unavailable': { retryAfterSeconds: 3_600 },
};
const CUT = 'cut-me';

async function act<T>(call: object, answer: T): Promise<T> {
  script.calls.push(call);
  const behaviour = script.next.shift() ?? 'answer';
  if (behaviour === 'answer') return answer;
  if (behaviour === 'cut') return { ...answer, [CUT]: true };
  if (behaviour === 'hang') return new Promise(() => undefined);
  throw catalogue.problem(behaviour, AGAIN[behaviour]);
}

/** What pages are read of; who has no source is away. */
let readShelves: ReadShelves = () => Promise.reject(catalogue.problem('service.unavailable'));

@Controller()
class Shelves {
  @Serve(SHELVES.operations.shelfPages)
  shelfPages({ query }: Call<Ops['shelfPages']>) {
    return readShelves('shelves', query);
  }

  @Serve(SHELVES.operations.aislePages)
  aislePages({ query }: Call<Ops['aislePages']>) {
    return readShelves('aisles', query);
  }

  @Serve(SHELVES.operations.fill)
  fill({ params, query, body }: Call<Ops['fill']>) {
    const answer = { ...params, units: body.units, dry: query.dry ?? false, since: 'the next release' };
    return act({ ...params, ...query, ...body }, answer);
  }

  @Serve(SHELVES.operations.shake)
  shake({ body }: Call<Ops['shake']>) {
    return act(body, { units: body.units });
  }

  @Serve(SHELVES.operations.look)
  look({ params }: Call<Ops['look']>) {
    return act(params, { shelf: params.shelf });
  }

  @Serve(SHELVES.operations.importShelves)
  importShelves({ body }: Call<Ops['importShelves']>) {
    return act({ text: body.toString() }, { bytes: body.length });
  }

  @Serve(SHELVES.operations.pour)
  async pour({ body, contentType }: Call<Ops['pour']>) {
    let text = '';
    for await (const piece of body) text += Buffer.from(piece).toString();
    return act({ text, contentType }, { bytes: text.length });
  }
}

@Module({ controllers: [Shelves] })
class Root {}

export interface ShelvesApp {
  readonly url: string;
  readonly caller: NatsConnection;
  readonly key: string;
  /** The calls that reached a handler, in their order. */
  readonly calls: readonly unknown[];
  /** `traceparent` of each HTTP request. */
  readonly traces: readonly unknown[];
  /** How the calls to come are dealt with; those after them are answered. Forgets earlier calls. */
  willDo(...behaviours: readonly Behaviour[]): void;
  close(): Promise<void>;
}

/** `read`: what its pages are read of. */
export async function openShelvesApp(natsUrl: string, read = readShelves): Promise<ShelvesApp> {
  readShelves = read;
  const identity = new FixedIdentity();
  const key = identity.makeKey({ id: 'prn_spec', scopes: ['shelves:use'] });
  const app = await NestFactory.create<NestFastifyApplication>(Root, new FastifyAdapter(), {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  const traces: unknown[] = [];
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  server.addHook('onRequest', async (request) => void traces.push(request.headers['traceparent']));
  server.addHook('onSend', async (request, _reply, payload) => {
    if (typeof payload === 'string' && payload.includes(CUT)) request.raw.socket.destroy();
  });
  installProblemHandling(app, {});
  const auth = installAuth(app, { identity: new IdentityCache(identity).start(), scopes: SHELVES.scopes });
  const uploads = new UploadPlaces({ uploadsMax: 2, uploadsPerClientMax: 2 });
  installOperations(app, { operations: SHELVES.operations, answers: {}, uploads, csvLimitBytes: 1_000 });
  app.connectMicroservice(
    await natsMicroserviceOptions({
      url: natsUrl,
      name: 'shelves',
      queue: 'shelves',
      door: auth.messageDoor,
      parse: (body) => parseJsonBody(Buffer.from(body)),
      toProblem: toRpcProblem,
    }),
    { inheritAppConfig: true, deferInitialization: true },
  );
  await app.init();
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  const caller = await connectNats({ url: natsUrl, name: 'spec-caller' });
  return {
    url: await app.getUrl(),
    caller,
    key,
    calls: script.calls,
    traces,
    willDo(...behaviours) {
      script.calls.length = 0;
      script.next = [...behaviours];
    },
    async close() {
      await caller.close();
      await app.close();
    },
  };
}
