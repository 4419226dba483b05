import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Post, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type CustomTransportStrategy, MessagePattern, NatsContext, Payload, Server } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { fixedClock } from '@onepool/platform-clock';
import { installProblemHandling } from '@onepool/platform-problem';
import { FixedIdentity } from '@onepool/testing-identity';
import type { FastifyInstance } from 'fastify';
import { firstValueFrom } from 'rxjs';
import { Public, RequireScope, publicRoute, scopedRoute } from './access.ts';
import { createApiKey } from './api-key.ts';
import { assertEveryHandlerDeclaresScope } from './assert-every-handler-declares-scope.ts';
import type { Caller } from './caller.ts';
import { CurrentCaller } from './current-caller.ts';
import { IdentityCache } from './identity/identity-cache.ts';
import { type AuthOptions, type InstalledAuth, installAuth } from './install-auth.ts';

const clock = fixedClock('2026-03-01T00:00:00Z');
const scopes = {
  'stock:read': {},
  'stock:write': {},
  admin: {},
  'others:any': { explicit: true },
  'receipts:approve': { human: true },
};
const identity = new FixedIdentity();
const [READER, OPS, CLERK] = ['prn_reader222222', 'prn_ops222222222', 'prn_clerk2222222'];
const keyOf = (...given: Parameters<typeof identity.makeKey>) => ({ key: identity.makeKey(...given) });
const READ = keyOf({ id: READER, scopes: ['stock:read'], expiresAt: new Date('2026-03-01T00:00:01Z') });
const EXPIRED = keyOf({ scopes: ['all'], expiresAt: new Date('2026-03-01T00:00:00Z') });
const ALL = keyOf({ id: OPS, scopes: ['all'] });
/** A console, and a clerk who uses it. */
const CONSOLE = keyOf({ scopes: ['all', 'people:act', 'receipts:approve', 'others:any'], nodes: ['n1', 'n2'] });
const CLERKS = keyOf({ id: CLERK, kind: 'person', scopes: ['stock:read', 'receipts:approve'], nodes: ['n2', 'n3'] });

let entered: () => void = () => undefined;
let release: Promise<void> = Promise.resolve();

@Controller()
class DeclaredController {
  @Get('stock/:sku')
  @RequireScope('stock:read')
  stock(@CurrentCaller() caller: Caller): object {
    return { caller: caller.id };
  }

  @Post('stock')
  @RequireScope('stock:write')
  async write(): Promise<object> {
    entered();
    await release;
    return {};
  }

  @Get('receipts')
  @RequireScope('receipts:approve')
  approve(@CurrentCaller() { id, person, scopes: held, nodes }: Caller): object {
    return { id, person, scopes: [...held].sort(), nodes: nodes === 'all' ? nodes : [...nodes].sort() };
  }

  @Get('others')
  @RequireScope('others:any')
  others(): object {
    return {};
  }

  @Get('open')
  @Public()
  open(): object {
    return {};
  }

  @MessagePattern('stock.put')
  @RequireScope('stock:write')
  async put(@Payload() sku: string): Promise<object> {
    if (sku === 'broken') throw new Error('no');
    return this.write();
  }

  @MessagePattern('stock.get')
  @RequireScope('stock:read')
  message(@Payload() sku: string, @CurrentCaller() caller: Caller): object {
    return { sku, caller: caller.id };
  }
}

@RequireScope('admin')
@Controller('admin')
class ClassController {
  @Get('one')
  one(): object {
    return {};
  }

  @Get('two')
  @Public()
  two(): object {
    return {};
  }
}

@Controller()
class ForgetfulController {
  @Get('forgotten/:id')
  forgotten(): object {
    return {};
  }

  @MessagePattern('forgotten.get')
  forgottenMessage(@Payload() _payload: unknown): object {
    return {};
  }
}

@Module({ controllers: [DeclaredController, ClassController] })
class DeclaredModule {}

@Module({ controllers: [DeclaredController, ForgetfulController] })
class ForgetfulModule {}

/** Nest's message pipeline without a server in between. */
class DirectTransport extends Server implements CustomTransportStrategy {
  override listen(callback: () => void): void {
    callback();
  }
  close(): void {}
  override on(): void {}
  override unwrap<T>(): T {
    return undefined as T;
  }
  async call(pattern: string, payload: unknown, headers?: Map<string, string>): Promise<unknown> {
    const handler = this.getHandlerByPattern(pattern);
    if (!handler) throw new Error(`No handler of ${pattern}`);
    return firstValueFrom(this.transformToObservable(await handler(payload, new NatsContext([pattern, headers]))));
  }
}

let app: NestFastifyApplication;
let transport: DirectTransport;
let door: InstalledAuth['messageDoor'];

interface SetUp {
  readonly module?: Type;
  readonly options?: Partial<AuthOptions>;
  readonly inheritAppConfig?: boolean;
  readonly addRoutes?: (server: FastifyInstance) => void;
}

async function start({ module = DeclaredModule, options, inheritAppConfig = true, addRoutes }: SetUp = {}) {
  // Some specs leave a handler waiting for good, which closing must not wait for.
  const adapter = new FastifyAdapter({ forceCloseConnections: true });
  app = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger: false });
  installProblemHandling(app);
  const auth = installAuth(app, { identity: new IdentityCache(identity).start(), scopes, clock, ...options });
  transport = new DirectTransport();
  door = auth.messageDoor;
  app.connectMicroservice({ strategy: transport }, { inheritAppConfig, deferInitialization: true });
  addRoutes?.(app.getHttpAdapter().getInstance());
  await app.init();
  await app.startAllMicroservices();
  await app.getHttpAdapter().getInstance().ready();
}

/** Nobody answers. */
function silent(): IdentityCache {
  const source = new FixedIdentity();
  source.failure = new Error('10.0.0.7 down');
  return new IdentityCache(source).start();
}

const from = (authorization?: string, person?: string) => ({ authorization, person });
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const on = (key: string, person: string) => ({ ...bearer(key), 'onepool-person': person });
const get = async (url: string, headers: Record<string, string> = {}) => {
  const response = await app.inject({ url, headers });
  return [response.statusCode, response.json().code] as const;
};

afterEach(() => app.close());

describe('HTTP access', () => {
  it('is decided by key, expiry and scope, each refusal with its own code', async () => {
    await start();
    expect(await get('/stock/A')).toEqual([401, 'auth.missing']);
    expect(await get('/stock/A', { authorization: 'Basic abc' })).toEqual([401, 'auth.invalid']);
    expect(await get('/stock/A', bearer(createApiKey().key))).toEqual([401, 'auth.invalid']);
    expect(await get('/stock/A', bearer(EXPIRED.key))).toEqual([401, 'auth.expired']);
    expect(await get('/admin/one', bearer(READ.key))).toEqual([403, 'auth.forbidden']);
    expect(await get('/admin/one', bearer(ALL.key))).toEqual([200, undefined]);
    expect(await get('/open')).toEqual([200, undefined]);
    expect(await get('/admin/two')).toEqual([200, undefined]);
    expect(await get('/nothing')).toEqual([404, 'request.not_found']);
  });

  it('tells the handler who calls, remembered or not', async () => {
    await start();
    for (let time = 0; time < 2; time++) {
      const response = await app.inject({ url: '/stock/A', headers: bearer(READ.key) });
      expect(response.json()).toEqual({ caller: READER });
    }
  });

  it('ends with the key, even while the key is remembered', async () => {
    await start();
    expect((await get('/stock/A', bearer(READ.key)))[0]).toBe(200);
    clock.advance(1_000);
    expect(await get('/stock/A', bearer(READ.key))).toEqual([401, 'auth.expired']);
    clock.set('2026-03-01T00:00:00Z');
  });

  it('is refused before the body is looked at', async () => {
    await start();
    const headers = { 'content-type': 'application/json' };
    const response = await app.inject({ method: 'POST', url: '/stock', payload: '{broken', headers });
    expect(response.json().code).toBe('auth.missing');
  });

  it('is refused to everybody where a handler or a route of Fastify declares nothing', async () => {
    await start({ module: ForgetfulModule, addRoutes: (server) => void server.get('/raw', () => ({})) });
    expect(await get('/forgotten/1', bearer(ALL.key))).toEqual([403, 'auth.forbidden']);
    expect(await get('/raw', bearer(ALL.key))).toEqual([403, 'auth.forbidden']);
  });

  it('covers routes of Fastify itself', async () => {
    await start({
      addRoutes: (server) => {
        server.get('/health', publicRoute, () => ({}));
        server.get('/metrics', scopedRoute('admin'), () => ({}));
      },
    });
    expect((await get('/health'))[0]).toBe(200);
    expect(await get('/metrics')).toEqual([401, 'auth.missing']);
    expect((await get('/metrics', bearer(ALL.key)))[0]).toBe(200);
  });

  it('is "try again" while nobody can tell whose key it is', async () => {
    await start({ options: { identity: silent() } });
    expect(await get('/stock/A', bearer(READ.key))).toEqual([503, 'identity.unavailable']);
  });

  it('never shows a key in an answer', async () => {
    await start();
    const response = await app.inject({ url: '/admin/one', headers: bearer(READ.key) });
    expect(response.body + JSON.stringify(response.headers)).not.toContain(READ.key);
  });

  it('is bounded per principal, and the place comes back with the answer', async () => {
    await start({ options: { inFlightPerCallerMax: 1 } });
    let open = (): void => undefined;
    const isEntered = new Promise<void>((resolve) => (entered = resolve));
    release = new Promise<void>((resolve) => (open = resolve));
    const first = app.inject({ method: 'POST', url: '/stock', headers: bearer(ALL.key) }).then((response) => response);
    await isEntered;
    expect(await get('/stock/A', bearer(ALL.key))).toEqual([429, 'limit.rate']);
    expect((await get('/stock/A', bearer(READ.key)))[0]).toBe(200);
    open();
    expect((await first).statusCode).toBe(201);
    expect((await get('/stock/A', bearer(ALL.key)))[0]).toBe(200);
  });

  it('gives the place back when the caller goes away before the answer', async () => {
    await start({ options: { inFlightPerCallerMax: 1 } });
    const isEntered = new Promise<void>((resolve) => (entered = resolve));
    release = new Promise<void>(() => undefined);
    await app.listen(0, '127.0.0.1');
    const base = await app.getUrl();
    const caller = new AbortController();
    const headers = bearer(ALL.key);
    const first = fetch(`${base}/stock`, { method: 'POST', headers, signal: caller.signal }).catch(() => 'gone');
    await isEntered;
    expect((await get('/stock/A', headers))[0]).toBe(429);
    caller.abort();
    expect(await first).toBe('gone');
    const status = async () => (await fetch(`${base}/stock/A`, { headers })).status;
    while ((await status()) !== 200);
  });

  it('gives no place to a caller who went away while the key was looked up', async () => {
    let answer = (): void => undefined;
    const isAnswered = new Promise<void>((resolve) => (answer = resolve));
    let asked = (): void => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const slow = new IdentityCache({
      ask: async (question) => {
        asked();
        await isAnswered;
        return identity.ask(question);
      },
      watch: (onBeat) => identity.watch(onBeat),
    });
    await start({ options: { inFlightPerCallerMax: 1, identity: slow } });
    await app.listen(0, '127.0.0.1');
    const base = await app.getUrl();
    const closed = new Promise<void>((resolve) =>
      app.getHttpServer().once('connection', (socket: Socket) => socket.once('close', () => setImmediate(resolve))),
    );
    const caller = new AbortController();
    const headers = bearer(READ.key);
    const first = fetch(`${base}/stock/A`, { headers, signal: caller.signal }).catch(() => 'gone');
    await isAsked;
    caller.abort();
    expect(await first).toBe('gone');
    await closed;
    answer();
    expect(await get('/stock/A', headers)).toEqual([200, undefined]);
  });
});

describe('a scope', () => {
  it('that is given by name alone is not among all', async () => {
    await start();
    expect(await get('/others', bearer(ALL.key))).toEqual([403, 'auth.forbidden']);
    expect((await get('/others', bearer(CONSOLE.key)))[0]).toBe(200);
  });

  it('that is for people needs one: the holder of the key, or whom a service names', async () => {
    await start();
    expect(await get('/receipts', bearer(CONSOLE.key))).toEqual([403, 'auth.forbidden']);
    expect((await get('/receipts', bearer(CLERKS.key)))[0]).toBe(200);
    expect((await get('/receipts', on(CONSOLE.key, CLERK)))[0]).toBe(200);
  });
});

describe('a service that names a person', () => {
  it('calls as itself on behalf of that person, and may no more than both', async () => {
    await start();
    const { payload } = await app.inject({ url: '/receipts', headers: on(CONSOLE.key, CLERK) });
    expect(JSON.parse(payload)).toEqual({
      id: expect.stringMatching(/^prn_/),
      person: CLERK,
      scopes: ['receipts:approve', 'stock:read'],
      nodes: ['n2'],
    });
    expect(JSON.parse(payload)).not.toMatchObject({ id: CLERK });
  });

  it.each([
    ['without the scope for it', () => on(ALL.key, CLERK)],
    ['nobody knows', () => on(CONSOLE.key, 'prn_nobody222222')],
    ['who is no person', () => on(CONSOLE.key, OPS)],
    ['by what is no id', () => on(CONSOLE.key, 'clerk')],
    ['twice', () => on(CONSOLE.key, `${CLERK}, ${CLERK}`)],
    ['not at all', () => on(CONSOLE.key, '')],
  ])('%s is refused', async (_what, headers) => {
    await start();
    expect(await get('/stock/A', headers())).toEqual([403, 'auth.forbidden']);
  });

  it('does so over NATS too', async () => {
    await start();
    expect(await door.admit('stock.get', from(`Bearer ${CONSOLE.key}`, CLERK))).toHaveProperty('mark');
    expect(await door.admit('stock.put', from(`Bearer ${CONSOLE.key}`, CLERK))).toHaveProperty('refusal');
  });
});

describe('NATS access', () => {
  const headers = (key: string, name = 'authorization') => new Map([[name, `Bearer ${key}`]]);

  it('is decided by the same rules from the authorization header', async () => {
    await start();
    const call = (given?: Map<string, string>) => transport.call('stock.get', 'A', given);
    await expect(call()).rejects.toMatchObject({ code: 'auth.missing', status: 401 });
    await expect(call(headers('nonsense'))).rejects.toMatchObject({ code: 'auth.invalid' });
    await expect(call(headers(EXPIRED.key))).rejects.toMatchObject({ code: 'auth.expired' });
    await expect(call(headers(READ.key))).resolves.toEqual({ sku: 'A', caller: READER });
    await expect(call(headers(READ.key, 'Authorization'))).resolves.toEqual({ sku: 'A', caller: READER });
  });

  it('lets nobody in whom the handler’s own scope keeps out, whatever the door has found', async () => {
    await start();
    const marked = headers(READ.key);
    const admission = await door.admit('stock.get', from(`Bearer ${READ.key}`));
    if ('mark' in admission) admission.mark(marked);
    await expect(transport.call('stock.get', 'A', marked)).resolves.toEqual({ sku: 'A', caller: READER });
    await expect(transport.call('stock.put', 'A', marked)).rejects.toMatchObject({ code: 'auth.forbidden' });
  });

  it('is refused to everybody where a handler declares nothing', async () => {
    await start({ module: ForgetfulModule });
    await expect(transport.call('forgotten.get', {}, headers(ALL.key))).rejects.toMatchObject({
      type: 'https://onepool.dev/problems/auth.forbidden',
      code: 'auth.forbidden',
      status: 403,
    });
  });
});

describe('the door of messages', () => {
  const admit = async (subject: string, authorization?: string, person?: string): Promise<unknown> => {
    const credentials = from(authorization, person);
    const glance = door.glance(subject, credentials)?.['code'];
    const admission = await door.admit(subject, credentials);
    return [glance, 'refusal' in admission ? admission.refusal['code'] : 'in'];
  };
  const of = (key: string): string => `Bearer ${key}`;

  it('decides by the rules of HTTP, and at a glance whatever needs no look-up', async () => {
    await start({ module: ForgetfulModule });
    expect(await admit('stock.get')).toEqual(['auth.missing', 'auth.missing']);
    expect(await admit('stock.get', '')).toEqual(['auth.missing', 'auth.missing']);
    expect(await admit('stock.get', 'Bearer nonsense')).toEqual(['auth.invalid', 'auth.invalid']);
    expect(await admit('forgotten.get', of(ALL.key))).toEqual(['auth.forbidden', 'auth.forbidden']);
    expect(await admit('nobody.knows', of(ALL.key))).toEqual(['auth.forbidden', 'auth.forbidden']);
    expect(await admit('stock.get', of(createApiKey().key))).toEqual([undefined, 'auth.invalid']);
    expect(await admit('stock.get', of(EXPIRED.key))).toEqual([undefined, 'auth.expired']);
    expect(await admit('stock.put', of(READ.key))).toEqual([undefined, 'auth.forbidden']);
    expect(await admit('stock.get', of(READ.key))).toEqual([undefined, 'in']);
  });

  it('tells the same refusal with the same document, so that a flood is refused without making one each time', async () => {
    await start();
    expect(door.glance('stock.get', from())).toBe(door.glance('stock.put', from()));
    const [first, second] = [
      await door.admit('stock.put', from(of(READ.key))),
      await door.admit('stock.put', from(of(READ.key))),
    ];
    expect('refusal' in first && 'refusal' in second && first.refusal === second.refusal).toBe(true);
  });

  it('is bounded per principal together with HTTP, and the place comes back when a message leaves', async () => {
    await start({ options: { inFlightPerCallerMax: 1 } });
    const first = await door.admit('stock.put', from(of(ALL.key)));
    expect(await admit('stock.get', of(ALL.key))).toEqual([undefined, 'limit.rate']);
    expect(await get('/stock/A', bearer(ALL.key))).toEqual([429, 'limit.rate']);
    expect(await admit('stock.get', of(READ.key))).toEqual([undefined, 'in']);
    if ('leave' in first) first.leave();
    expect((await get('/stock/A', bearer(ALL.key)))[0]).toBe(200);
    expect(await admit('stock.get', of(ALL.key))).toEqual([undefined, 'in']);
  });

  it('is "try again" while nobody can tell whose key it is', async () => {
    await start({ options: { identity: silent() } });
    expect(await admit('stock.get', of(READ.key))).toEqual([undefined, 'identity.unavailable']);
  });
});

describe('assertEveryHandlerDeclaresScope', () => {
  it('passes when every handler declares who may call it', async () => {
    await start();
    expect(() => assertEveryHandlerDeclaresScope(app)).not.toThrow();
  });

  it('lists every route and message pattern that does not', async () => {
    await start({ module: ForgetfulModule, addRoutes: (server) => void server.get('/raw', () => ({})) });
    const run = () => assertEveryHandlerDeclaresScope(app);
    expect(run).toThrow(/GET \/forgotten\/:id/);
    expect(run).toThrow(/GET \/raw/);
    expect(run).toThrow(/ForgetfulController\.forgottenMessage \["forgotten\.get"\]/);
    expect(run).not.toThrow(/stock/);
  });

  it('fails when a microservice does not share the guards', async () => {
    await start({ inheritAppConfig: false });
    expect(() => assertEveryHandlerDeclaresScope(app)).toThrow(/inheritAppConfig/);
  });

  it('fails when auth was never installed, or nothing was started', async () => {
    app = await NestFactory.create<NestFastifyApplication>(DeclaredModule, new FastifyAdapter(), { logger: false });
    expect(() => assertEveryHandlerDeclaresScope(app)).toThrow(/installAuth was not called/);
  });

  it('refuses to be installed after a microservice was connected, because its guards are fixed by then', async () => {
    app = await NestFactory.create<NestFastifyApplication>(DeclaredModule, new FastifyAdapter(), { logger: false });
    app.connectMicroservice({ strategy: new DirectTransport() }, { inheritAppConfig: true });
    expect(() => installAuth(app, { identity: new IdentityCache(identity).start(), scopes })).toThrow(
      /before connectMicroservice/,
    );
  });
});
