/**
 * A module's place in the database: entities and units of work on one pool, facts of others that take effect in units of
 * work, and tasks. What is registered before the app has started is begun with it and ended before its connections are.
 */
import type { BeforeApplicationShutdown, OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { type FactHandlers, consumeFacts } from '@onepool/client';
import type { AppContract } from '@onepool/contracts';
import { type Commit, commitPoint } from '@onepool/platform-failpoints';
import type { FactEvent, RunningConsumer } from '@onepool/platform-messaging';
import { type TaskKind, TaskRunner } from '@onepool/platform-tasks';
import type { Logger } from '@onepool/platform-telemetry';
import { UnitOfWork, type Work, poolOf } from '@onepool/platform-unit-of-work';
import type { DataSource } from 'typeorm';
import type { Relays } from './relays.ts';

export interface StoreParts {
  readonly dataSource: DataSource;
  readonly schema: string;
  /** CloudEvents source of its facts: `/onepool/brokering`. */
  readonly source: string;
  readonly partitionCount: number;
  readonly relays: Relays;
  readonly nats: NatsConnection;
  /** Whether durables and the stream of dead letters are made by others. */
  readonly provisioned: boolean;
  readonly logger: Logger;
}

export interface Consumption<C extends AppContract> {
  /** Of the contract's `consumes`, which NATS lets this app read. */
  readonly durable: string;
  /** Keys of the aggregates that the effect of a fact changes or tells of. */
  readonly locks: (fact: FactEvent) => readonly string[];
  readonly on: FactHandlers<C, [work: Work]>;
}

const RECEIVE: Commit = commitPoint('app.receive');

export class Store implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly dataSource: DataSource;
  readonly units: UnitOfWork;
  readonly #parts: StoreParts;
  readonly #starts: (() => RunningConsumer)[] = [];
  readonly #kinds: TaskKind[] = [];
  #consumers: readonly RunningConsumer[] = [];
  #runner: TaskRunner | undefined;

  constructor(parts: StoreParts) {
    this.#parts = parts;
    const { dataSource, schema, source, partitionCount, relays } = parts;
    this.dataSource = dataSource;
    this.units = new UnitOfWork({
      dataSource,
      schema,
      source,
      partitionCount,
      onCommitted: ({ facts, tasks }) => {
        if (facts > 0) relays.nudge(schema);
        if (tasks > 0) this.#runner?.nudge();
      },
    });
  }

  /** Lets facts of another app take effect here, each once, in the order of its key. */
  consume<const C extends AppContract>(contract: C, { durable, locks, on }: Consumption<C>): void {
    const { nats: connection, provisioned, logger } = this.#parts;
    const once = (event: FactEvent, handle: (work: Work) => Promise<void>) =>
      this.units.receive(durable, event, { commit: RECEIVE, locks: locks(event) }, handle);
    const look = (): Promise<unknown> => this.dataSource.query('SELECT 1');
    const hooks = {
      onError: (error: unknown) => logger.warn({ durable, err: error }, 'consumer: a turn failed; it goes on'),
      onDeadLetter: ({
        reason,
        subject,
        streamSequence,
        error,
      }: {
        reason: string;
        subject: string;
        streamSequence: number;
        error: unknown;
      }) => logger.error({ durable, reason, subject, streamSequence, err: error }, 'a fact was set aside'),
    };
    this.#starts.push(() =>
      consumeFacts(contract, { connection, durable, provisioned, within: { once, look }, on, hooks }),
    );
  }

  /** Runs tasks of a kind, which units of work write. */
  runTasks(...kinds: readonly TaskKind[]): void {
    this.#kinds.push(...kinds);
  }

  onApplicationBootstrap(): void {
    const { dataSource, schema, logger } = this.#parts;
    this.#consumers = this.#starts.map((start) => start());
    if (this.#kinds.length === 0) return;
    this.#runner = new TaskRunner({
      pool: poolOf(dataSource),
      schema,
      kinds: this.#kinds,
      onError: (error, task) =>
        logger.warn({ err: error, task: task?.id, kind: task?.kind }, 'a task failed; it is tried again'),
    });
    this.#runner.start();
  }

  /** Takes nothing more in, and lets what was begun end. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([...this.#consumers.map((consumer) => consumer.stop()), this.#runner?.stop()]);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.dataSource.destroy();
  }
}
