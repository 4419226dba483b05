import type { INestMicroservice } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { globalGuardsOf } from '@onepool/platform-nest';
import { routesOf } from './install-auth.ts';
import { messageHandlersOf } from './message-handlers.ts';
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
    ...handlers.filter(({ access }) => !access).map(({ name }) => name),
    ...app
      .getMicroservices()
      .filter((microservice) => !sharesGuards(microservice))
      .map(() => 'a microservice that was connected without { inheritAppConfig: true }'),
  ];
  if (undeclared.length > 0) {
    throw new Error(`Without @RequireScope() or @Public():\n${undeclared.map((name) => `  ${name}`).join('\n')}`);
  }
}

const sharesGuards = (microservice: INestMicroservice): boolean =>
  globalGuardsOf(microservice).some((guard) => guard instanceof ScopeGuard);
