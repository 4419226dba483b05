/**
 * Denies by default: a request or message reaches a handler only if the handler declares who may call it and the
 * caller is one of them.
 *
 * HTTP is checked in a Fastify hook and not in a Nest guard: there it covers routes that are not Nest's (metrics,
 * documentation), and a caller without a key cannot make us read and parse a body.
 */
import assert from 'node:assert/strict';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Clock } from '@onepool/platform-clock';
import type { MessageDoor } from '@onepool/platform-messaging';
import { ProblemError } from '@onepool/platform-problem';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from './access.ts';
import { Authenticator, PERSON_HEADER, type Verdict } from './authenticator.ts';
import { admitted } from './current-caller.ts';
import type { IdentityCache } from './identity/identity-cache.ts';
import { InFlightLimit } from './in-flight-limit.ts';
import { KeyDoor } from './key-door.ts';
import { messageHandlersOf } from './message-handlers.ts';
import { ScopeGuard } from './scope-guard.ts';
import type { ScopeRules } from './scopes.ts';

export interface AuthOptions {
  /** Who keys and persons are. Whoever made it starts and stops it. */
  readonly identity: IdentityCache;
  /** The scopes of the app's contract. */
  readonly scopes: ScopeRules;
  readonly clock?: Clock;
  /** Requests and messages of one principal that are answered at once; 2,000 unless said otherwise. */
  readonly inFlightPerCallerMax?: number;
}

export interface InstalledAuth {
  /** The door for `natsMicroserviceOptions`: keys, scopes and the limit in flight, before a message is read. */
  readonly messageDoor: MessageDoor;
}

/** A route as Fastify knows it, Nest's and others. */
export interface DeclaredRoute {
  readonly name: string;
  readonly access: Access | undefined;
}

interface Installed {
  readonly authenticator: Authenticator;
  readonly routes: DeclaredRoute[];
}

const installedByApp = new WeakMap<object, Installed>();

/** The routes that were added since {@link installAuth}, or undefined if it was never called. */
export function routesOf(app: NestFastifyApplication): readonly DeclaredRoute[] | undefined {
  return installedByApp.get(app.getHttpAdapter())?.routes;
}

/**
 * Decides anew about a request that was let in, since its key may have been revoked while the body arrives. The promise never
 * rejects.
 */
export function judgeAgain(app: NestFastifyApplication, request: FastifyRequest): Verdict | Promise<Verdict> {
  const installed = installedByApp.get(app.getHttpAdapter());
  assert(installed, 'judgeAgain is for apps with installAuth');
  return judgeRequest(installed.authenticator, request);
}

/**
 * Guards every route and message handler of the app. Call it once, before `connectMicroservice` (which fixes the guards
 * of its handlers, and must be told `{ inheritAppConfig: true }`) and before the app is initialised.
 *
 * @throws AssertionError when a microservice was connected before.
 */
export function installAuth(app: NestFastifyApplication, options: AuthOptions): InstalledAuth {
  assert(app.getMicroservices().length === 0, 'installAuth must come before connectMicroservice');
  const authenticator = new Authenticator(options);
  const limit = new InFlightLimit(options.inFlightPerCallerMax ?? 2_000);
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  const routes: DeclaredRoute[] = [];
  installedByApp.set(app.getHttpAdapter(), { authenticator, routes });

  server.addHook('onRoute', ({ method, url, config }) => {
    routes.push({ name: `${String(method)} ${url}`, access: config?.access });
  });
  server.addHook('onRequest', (request, reply, done) => {
    admitRequest(authenticator, limit, request, reply, done);
  });
  app.useGlobalGuards(new ScopeGuard(authenticator));
  return { messageDoor: new KeyDoor(authenticator, limit, accessBySubject(app)) };
}

/** What the first handler of a subject declares; read when the first message comes, when every handler is known. */
function accessBySubject(app: NestFastifyApplication): (subject: string) => Access | undefined {
  let known: Map<string, Access> | undefined;
  const read = (): Map<string, Access> => {
    const declared = messageHandlersOf(app).flatMap(({ patterns, access }) =>
      patterns.map((pattern) => [pattern, access] as const),
    );
    return new Map(declared.filter((entry): entry is [string, Access] => typeof entry[0] === 'string' && !!entry[1]));
  };
  return (subject) => (known ??= read()).get(subject);
}

type Done = (error?: Error) => void;

function admitRequest(
  authenticator: Authenticator,
  limit: InFlightLimit,
  request: FastifyRequest,
  reply: FastifyReply,
  done: Done,
): void {
  // There is no handler, so there is nothing to protect: the answer is 404.
  if (request.is404) return done();
  const enter = (verdict: Verdict): void => {
    if (verdict instanceof ProblemError) return done(verdict);
    const leave = verdict && limit.enter(verdict);
    if (verdict && !leave) return done(limit.full);
    admitted(request, verdict);
    // `close` also comes when the caller went away, where Fastify's onResponse hook does not.
    if (leave) reply.raw.once('close', leave);
    done();
  };
  const verdict = judgeRequest(authenticator, request);
  // Nearly every request is decided about without a turn of the event loop.
  if (!(verdict instanceof Promise)) return enter(verdict);
  void verdict.then((judged) => {
    // Who has hung up meanwhile will never close again, and would keep the place for ever.
    if (!reply.raw.destroyed) enter(judged);
  });
}

function judgeRequest(authenticator: Authenticator, { headers, routeOptions }: FastifyRequest) {
  const { authorization, [PERSON_HEADER]: person } = headers;
  const credentials = { authorization, person: typeof person === 'string' ? person : undefined };
  return authenticator.judge(routeOptions.config.access, credentials);
}
