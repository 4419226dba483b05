import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { patternsOf } from '@onepool/platform-nest';
import { type Access, accessOf } from './access.ts';

/** A method of a controller that answers messages. */
export interface MessageHandler {
  readonly name: string;
  readonly patterns: readonly unknown[];
  readonly access: Access | undefined;
}

/** Every message handler of the app's controllers. */
export function messageHandlersOf(app: NestFastifyApplication): readonly MessageHandler[] {
  const scanner = new MetadataScanner();
  const found: MessageHandler[] = [];
  for (const module of app.get(ModulesContainer).values()) {
    for (const { metatype } of module.controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const prototype = metatype.prototype as Record<string, object>;
      for (const method of scanner.getAllMethodNames(prototype)) {
        const handler = prototype[method];
        const patterns = handler ? patternsOf(handler) : [];
        if (!handler || patterns.length === 0) continue;
        const name = `${metatype.name}.${method} ${JSON.stringify(patterns)}`;
        found.push({ name, patterns, access: accessOf(handler) });
      }
    }
  }
  return found;
}
