import 'reflect-metadata';
import type { INestMicroservice } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import { PATTERN_METADATA } from '@nestjs/microservices/constants.js';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { accessOf } from './access.ts';
import { routesOf } from './install-auth.ts';
import { ScopeGuard } from './scope-guard.ts';

/**
 * For an app's spec, after `app.init()`: fails, with the list, if any route or message handler does not say who may
 * call it, if {@link installAuth} was never called, or if a microservice does not share the app's guards.
 *
 * @throws Error that names every such handler.
 */
export function assertEveryHandlerDeclaresScope(app: NestFastifyApplication): void {
  const routes = routesOf(app);
  if (!routes) throw new Error('installAuth was not called: every handler is open to everybody.');
  const handlers = messageHandlersOf(app);
  if (routes.length + handlers.length === 0) throw new Error('No handler was found: call app.init() first.');
  const undeclared = [
    ...routes.filter(({ access }) => !access).map(({ name }) => name),
    ...handlers.filter(({ isDeclared }) => !isDeclared).map(({ name }) => name),
    ...app
      .getMicroservices()
      .filter((microservice) => !sharesGuards(microservice))
      .map(() => 'a microservice that was connected without { inheritAppConfig: true }'),
  ];
  if (undeclared.length > 0) {
    throw new Error(`Without @RequireScope() or @Public():\n${undeclared.map((name) => `  ${name}`).join('\n')}`);
  }
}

interface MessageHandler {
  readonly name: string;
  readonly isDeclared: boolean;
}

function messageHandlersOf(app: NestFastifyApplication): readonly MessageHandler[] {
  const scanner = new MetadataScanner();
  const found: MessageHandler[] = [];
  for (const module of app.get(ModulesContainer).values()) {
    for (const { metatype } of module.controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const prototype = metatype.prototype as Record<string, object>;
      for (const method of scanner.getAllMethodNames(prototype)) {
        const handler = prototype[method];
        const patterns: unknown = handler && Reflect.getMetadata(PATTERN_METADATA, handler);
        if (!handler || patterns === undefined) continue;
        const name = `${metatype.name}.${method} ${JSON.stringify(patterns)}`;
        found.push({ name, isDeclared: accessOf(handler) !== undefined });
      }
    }
  }
  return found;
}

/** Nest keeps a microservice's configuration to itself, but whether our guard is in it must not go unseen. */
function sharesGuards(microservice: INestMicroservice): boolean {
  const { applicationConfig } = microservice as unknown as {
    readonly applicationConfig?: { getGlobalGuards(): readonly object[] };
  };
  return applicationConfig?.getGlobalGuards().some((guard) => guard instanceof ScopeGuard) ?? false;
}
