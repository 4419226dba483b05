/** Refunds that one person asks for and another approves, over HTTP and NATS, by consoles that name the person. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type NatsConnection, headers as natsHeaders } from '@nats-io/transport-node';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Doer, IdentityCache, decideApproval, installAuth } from '@onepool/platform-auth';
import { UploadPlaces } from '@onepool/platform-http';
import { connectNats, natsMicroserviceOptions } from '@onepool/platform-messaging';
import { installProblemHandling, parseJsonBody, problem, toRpcProblem } from '@onepool/platform-problem';
import { FixedIdentity } from '@onepool/testing-identity';
import { createTestNatsAccount } from '@onepool/testing-servers';
import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { installOperations } from './install-operations.ts';
import type { Call } from './operation.ts';
import { Serve } from './serve.ts';

const scopes = { 'refunds:request': {}, 'refunds:approve': { human: true }, 'refunds:release': {} };
const refund = Type.Object({ refund: Type.String({ maxLength: 64 }) }, { additionalProperties: false });
const operationOf = <const V extends 'request' | 'approve' | 'release'>(verb: V) =>
  ({
    http: { method: 'POST', path: `/v1/refunds/${verb}`, success: 200 },
    subject: `onepool.rpc.refunds.${verb}.v1`,
    scope: `refunds:${verb}`,
    body: refund,
    response: refund,
  }) as const;
const contract = { request: operationOf('request'), approve: operationOf('approve'), release: operationOf('release') };
type Verb = keyof typeof contract;
type Asked = Call<(typeof contract)[Verb]>;

@Controller()
class Refunds {
  /** By whom each was asked for: what an app keeps in a row. */
  readonly #requestedBy = new Map<string, Doer>();

  @Serve(contract.request)
  async request({ body, caller: { id, person } }: Asked) {
    this.#requestedBy.set(body.refund, { id, person });
    return body;
  }

  @Serve(contract.approve)
  async approve(call: Asked) {
    return this.#approved(call);
  }

  /** Services may do this as well, but not one alone. */
  @Serve(contract.release)
  async release(call: Asked) {
    return this.#approved(call, false);
  }

  #approved({ body, caller }: Asked, human?: boolean) {
    const requestedBy = this.#requestedBy.get(body.refund);
    if (!requestedBy) throw problem('request.not_found');
    const refusal = decideApproval({ requestedBy, approvedBy: caller, ...(human !== undefined && { human }) });
    if (refusal) throw problem(refusal.code);
    return body;
  }
}

@Module({ controllers: [Refunds] })
class Root {}

const identity = new FixedIdentity();
const all = [...Object.keys(scopes), 'people:act'];
const [ANNA, BERT] = ['prn_anna22222222', 'prn_bert22222222'];
const keys = {
  console: identity.makeKey({ scopes: all }),
  till: identity.makeKey({ scopes: all }),
  anna: identity.makeKey({ id: ANNA, kind: 'person', scopes: Object.keys(scopes) }),
  bert: identity.makeKey({ id: BERT, kind: 'person', scopes: Object.keys(scopes) }),
};
type Key = keyof typeof keys;

let nats: Awaited<ReturnType<typeof createTestNatsAccount>>;
let app: NestFastifyApplication;
let connection: NatsConnection;

beforeAll(async () => {
  nats = await createTestNatsAccount();
  app = await NestFactory.create<NestFastifyApplication>(Root, new FastifyAdapter(), {
    logger: false,
    bodyParser: false,
  });
  installProblemHandling(app);
  const auth = installAuth(app, { identity: new IdentityCache(identity).start(), scopes });
  const uploads = new UploadPlaces({ uploadsMax: 2, uploadsPerClientMax: 2 });
  installOperations(app, { operations: contract, answers: {}, uploads, csvLimitBytes: 1_000 });
  app.connectMicroservice(
    await natsMicroserviceOptions({
      url: nats.url,
      name: 'refunds',
      queue: 'refunds',
      door: auth.messageDoor,
      parse: (body) => parseJsonBody(Buffer.from(body)),
      toProblem: toRpcProblem,
    }),
    { inheritAppConfig: true, deferInitialization: true },
  );
  await app.init();
  await app.startAllMicroservices();
  connection = await connectNats({ url: nats.url, name: 'caller' });
});

afterAll(async () => {
  await connection.close();
  await app.close();
  await nats.stop();
});

interface Answer {
  readonly code?: string;
}
type Send = (verb: Verb, name: string, headers: Readonly<Record<string, string>>) => Promise<Answer>;

const overHttp: Send = async (verb, name, headers) => {
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  const { url, method } = { url: contract[verb].http.path, method: 'POST' as const };
  return (await server.inject({ method, url, headers, payload: { refund: name } })).json<Answer>();
};
const overNats: Send = async (verb, name, given) => {
  const headers = natsHeaders();
  for (const [key, value] of Object.entries(given)) headers.set(key, value);
  const payload = JSON.stringify({ refund: name });
  return (await connection.request(contract[verb].subject, payload, { headers, timeout: 60_000 })).json<Answer>();
};

let names = 0;

describe.each([
  ['HTTP', overHttp],
  ['NATS', overNats],
])('over %s', (_wire, send) => {
  const call = (verb: Verb, name: string, [key, person]: readonly [Key, string?]): Promise<Answer> =>
    send(verb, name, {
      authorization: `Bearer ${keys[key]}`,
      ...(person === undefined ? {} : { 'onepool-person': person }),
    });

  it.each<[string, readonly [Key, string?], Verb, readonly [Key, string?], string]>([
    ['approved by another person at the same console', ['console', ANNA], 'approve', ['console', BERT], 'approved'],
    ['approved by another person with a key of his own', ['console', ANNA], 'approve', ['bert'], 'approved'],
    ['refused to whoever asked', ['anna'], 'approve', ['anna'], 'approval.same_person'],
    ['refused to whoever asked elsewhere', ['till', ANNA], 'approve', ['console', ANNA], 'approval.same_person'],
    ['refused to whoever asked with her own key', ['till', ANNA], 'approve', ['anna'], 'approval.same_person'],
    ['refused at the door to a service by itself', ['till', ANNA], 'approve', ['console'], 'auth.forbidden'],
    ['released by another service', ['till', ANNA], 'release', ['console'], 'approved'],
    ['not released by the service that asked', ['till', ANNA], 'release', ['till'], 'approval.person_required'],
    ['not released by whoever asked', ['till', ANNA], 'release', ['console', ANNA], 'approval.same_person'],
  ])('a refund is %s', async (_title, asking, verb, approving, expected) => {
    const name = `refund-${(names += 1)}`;
    expect(await call('request', name, asking)).toEqual({ refund: name });
    const { code = 'approved' } = await call(verb, name, approving);
    expect(code).toBe(expected);
  });
});
