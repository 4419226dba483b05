/**
 * What Nest keeps to itself and this platform rests on all the same. All of it is here, and a spec holds each against the
 * installed release, so that an upgrade which moves one fails there and not in production.
 */
import 'reflect-metadata';
import type { INestMicroservice } from '@nestjs/common';
import { PATTERN_METADATA } from '@nestjs/microservices/constants.js';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';

/** The patterns of `@MessagePattern()` on a method; none where it wears none. */
export const patternsOf = (handler: object): readonly unknown[] =>
  [(Reflect.getMetadata(PATTERN_METADATA, handler) as unknown) ?? []].flat();

/** Adds to the config of the Fastify route that Nest makes of a method; `@RouteConfig()` would replace it. */
export function addRouteConfig(handler: object, config: object): void {
  const known = Reflect.getOwnMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) as object | undefined;
  Reflect.defineMetadata(FASTIFY_ROUTE_CONFIG_METADATA, { ...known, ...config }, handler);
}

/** The global guards that a microservice runs, which it shares with its app only if told to inherit its configuration. */
export function globalGuardsOf(microservice: INestMicroservice): readonly object[] {
  const { applicationConfig } = microservice as unknown as {
    readonly applicationConfig?: { getGlobalGuards(): readonly object[] };
  };
  return applicationConfig?.getGlobalGuards() ?? [];
}

/**
 * Has the modules of an app begin once, with the app: a microservice whose initialisation was deferred would begin them all a
 * second time when it starts. For one that starts after `app.init()`.
 */
export function keepHooksToApp(microservice: INestMicroservice): void {
  (microservice as unknown as { setIsInitHookCalled(isCalled: boolean): void }).setIsInitHookCalled(true);
}

/** Lets Fastify's errors reach the filters as they were thrown; Nest would make bare HTTP exceptions without a code of them. */
export function keepErrorsAsThrown(adapter: object): void {
  Object.assign(adapter, { mapException: (error: unknown) => error });
}
