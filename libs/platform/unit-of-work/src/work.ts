/** What one unit of work has at hand, and what it leaves to be written at its end. */
import assert from 'node:assert/strict';
import type { NewTask } from '@onepool/platform-tasks';
import { type FactEvent, factId } from '@onepool/platform-messaging';
import { currentTraceparent } from '@onepool/platform-tracing';
import type { Static, TSchema } from '@sinclair/typebox';
import type pg from 'pg';
import type { EntityManager } from 'typeorm';

/** What a contract says of a fact; its data carries `fromVersion` and `toVersion`. */
export interface VersionedFact {
  /** Also the type of the CloudEvent. */
  readonly subject: string;
  readonly data: TSchema;
}

/** A fact's data without its versions, which the unit of work gives it. */
export type Told<F extends VersionedFact> = Omit<Static<F['data']>, 'fromVersion' | 'toVersion'>;

export class Work {
  /** This unit's connection, for plain SQL. */
  readonly client: Pick<pg.ClientBase, 'query'>;
  readonly facts: FactEvent[] = [];
  readonly tasks: NewTask[] = [];
  readonly #manager: EntityManager | undefined;
  readonly #source: string;
  readonly #locked: ReadonlyMap<string, number>;
  readonly #stepped = new Map<string, number>();

  constructor(parts: {
    readonly manager: EntityManager | undefined;
    readonly client: Pick<pg.ClientBase, 'query'>;
    readonly source: string;
    readonly locked: ReadonlyMap<string, number>;
  }) {
    this.#manager = parts.manager;
    this.client = parts.client;
    this.#source = parts.source;
    this.#locked = parts.locked;
  }

  /** TypeORM's, on the same connection. Only where the units of work were given a data source. */
  get manager(): EntityManager {
    assert(this.#manager, 'these units of work have a pool and no data source, and so no entities');
    return this.#manager;
  }

  /** The version of a locked aggregate: how many facts were told of it, this unit's included. */
  versionOf(key: string): number {
    const version = this.#stepped.get(key) ?? this.#locked.get(key);
    assert(version !== undefined, `${key} is not locked by this unit of work`);
    return version;
  }

  /** The versions that this unit has stepped. */
  get stepped(): ReadonlyMap<string, number> {
    return this.#stepped;
  }

  /** Tells a fact of a locked aggregate: its version steps by one, and the fact carries both. */
  tell<const F extends VersionedFact>(key: string, { subject }: F, data: Told<F>): void {
    const fromVersion = this.versionOf(key);
    const toVersion = fromVersion + 1;
    this.#stepped.set(key, toVersion);
    this.facts.push({
      id: factId(key, toVersion),
      type: subject,
      subject,
      source: this.#source,
      time: new Date().toISOString(),
      key,
      trace: currentTraceparent() ?? undefined,
      data: { ...data, fromVersion, toVersion },
    });
  }

  /** Has a task done once this has committed. */
  task(task: NewTask): void {
    this.tasks.push(task);
  }
}
