/**
 * Declaring who may call a handler. A declaration is stored twice: as the config of the Fastify route, which is where
 * HTTP requests are checked, and as metadata, which is where messages are.
 */
import 'reflect-metadata';
import { addRouteConfig } from '@onepool/platform-nest';
import type { Scope } from './scopes.ts';

/** Who may call a handler: anybody, or clients with a scope. */
export type Access = { readonly public: true } | { readonly scope: Scope };

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call this route; a route without it is refused to everybody. */
    access?: Access;
  }
}

const ACCESS = 'onepool:access';

/** A route or message handler that only clients with `scope` may call. On a class: its handlers that say nothing else. */
export function RequireScope(scope: Scope): ClassDecorator & MethodDecorator {
  return declare({ scope });
}

/** A route or message handler that anybody may call. On a class: its handlers that say nothing else. */
export function Public(): ClassDecorator & MethodDecorator {
  return declare({ public: true });
}

/** Route options for routes that are added to Fastify itself and that anybody may call. */
export const publicRoute = { config: { access: { public: true } } } as const;

/** Route options for routes that are added to Fastify itself and that ask for a scope. */
export function scopedRoute(scope: Scope): { config: { access: Access } } {
  return { config: { access: { scope } } };
}

/** What a handler declares, if anything. */
export function accessOf(handler: object): Access | undefined {
  return Reflect.getOwnMetadata(ACCESS, handler) as Access | undefined;
}

function declare(access: Access): ClassDecorator & MethodDecorator {
  return (target: object, _key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (descriptor) {
      declareOn(descriptor.value as object, access);
      return;
    }
    // Method decorators run before those of the class, so what a method says of itself is already there.
    const prototype = (target as { prototype: object }).prototype;
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
      if (typeof method === 'function' && name !== 'constructor' && !accessOf(method)) declareOn(method, access);
    }
  };
}

function declareOn(handler: object, access: Access): void {
  addRouteConfig(handler, { access });
  Reflect.defineMetadata(ACCESS, access, handler);
}
