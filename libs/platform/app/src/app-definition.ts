/** What an app is, in one value: by it `runApp` starts a replica and `migrateApp` brings its schemas up to date. */
import type { DynamicModule, Provider, Type as NestType } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AppContract } from '@onepool/contracts';
import type { IdentityCache } from '@onepool/platform-auth';
import type { SchemaDeclaration } from '@onepool/platform-postgres';
import type { ProblemError } from '@onepool/platform-problem';
import type { Logger, Metrics, ReadinessCheck } from '@onepool/platform-telemetry';
import type { TObject } from '@sinclair/typebox';
import type { KitConfig } from './kit-settings.ts';

/** A schema of the app: its parts, and whose facts its outbox holds where it has one. */
export interface AppSchema extends SchemaDeclaration {
  readonly outbox?: {
    /** Of the module that tells them, which is in the app's contract: it names their stream. */
    readonly scope: string;
    /** Changing it needs a drained outbox. */
    readonly partitionCount: number;
  };
}

/** What there is before Nest begins. */
export interface Foundation<C extends KitConfig = KitConfig> {
  readonly config: C;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface AppDefinition<C extends KitConfig = KitConfig> {
  readonly contract: AppContract;
  /** {@link kitConfig}. */
  readonly config: TObject;
  /** In the order in which they are migrated. */
  readonly schemas: readonly AppSchema[];
  /** Operational errors of what lies below the edge, where the platform's own table does not know them. */
  readonly problemOf?: (error: unknown) => ProblemError | undefined;
  readonly modules: readonly (NestType | DynamicModule)[];
  /** What its modules can inject besides what the kit provides. */
  readonly providers?: (foundation: Foundation<C>) => readonly Provider[];
  /** Whom to ask who is calling; over NATS unless given, as everybody does but the app that has the identity. */
  readonly identity?: (app: NestFastifyApplication) => IdentityCache;
  readonly readiness?: (app: NestFastifyApplication) => Readonly<Record<string, ReadinessCheck>>;
  /** Connections to PostgreSQL that a replica may hold, those of its modules included. */
  readonly connectionsMax: number | ((config: C) => number);
}
