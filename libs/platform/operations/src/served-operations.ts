import { DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Call, ServedOperation } from './operation.ts';
import { type Served, servedBy } from './serve.ts';

/** A method of a controller that serves an operation. */
export interface ServedMethod extends Served {
  /** `ReservationsController.hold`. */
  readonly name: string;
  call(call: Call<ServedOperation>): Promise<unknown>;
}

/** Every operation that the app's controllers serve. */
export function servedOperations(app: NestFastifyApplication): readonly ServedMethod[] {
  const scanner = new MetadataScanner();
  return new DiscoveryService(app.get(ModulesContainer)).getControllers().flatMap(({ instance }) => {
    const controller = instance as Record<string, unknown>;
    const prototype = Object.getPrototypeOf(controller) as object;
    return scanner.getAllMethodNames(prototype).flatMap((method): ServedMethod[] => {
      const handler = controller[method] as ServedMethod['call'];
      const served = servedBy(handler);
      const name = `${prototype.constructor.name}.${method}`;
      return served ? [{ ...served, name, call: (call) => handler.call(controller, call) }] : [];
    });
  });
}
