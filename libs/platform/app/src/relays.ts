/** The relays of a replica: one for each outbox, on one connection to NATS and one pool. */
import type { NatsConnection } from '@nats-io/transport-node';
import { factStream } from '@onepool/contracts';
import { type Relay, type RelayHooks, startRelay } from '@onepool/platform-messaging';
import type pg from 'pg';
import type { AppSchema } from './app-definition.ts';
import type { ConnectionBudget } from './connection-budget.ts';

export interface RelaysOptions {
  readonly schemas: readonly AppSchema[];
  /** Copies in which new streams are kept. */
  readonly streamReplicas: number;
  readonly connection: NatsConnection;
  readonly connections: ConnectionBudget;
  readonly isConnected: () => boolean;
  readonly hooksOf: (stream: string) => RelayHooks;
}

export class Relays {
  readonly #relays = new Map<string, Relay>();
  readonly #pool: pg.Pool | undefined;
  readonly #isConnected: () => boolean;

  constructor({ schemas, streamReplicas, connection, connections, isConnected, hooksOf }: RelaysOptions) {
    this.#isConnected = isConnected;
    const outboxes = schemas.flatMap(({ schema, outbox }) => (outbox === undefined ? [] : [{ schema, ...outbox }]));
    if (outboxes.length === 0) return;
    // A session for each, and one more while a session that was lost is replaced.
    this.#pool = connections.pool('relay', outboxes.length + 1, {
      // What is new is a sliver of the outbox, whatever the statistics of a minute ago say.
      settings: { enable_seqscan: 'off', jit: 'off', plan_cache_mode: 'force_generic_plan' },
    });
    for (const { schema, scope, partitionCount } of outboxes) {
      const stream = factStream(scope);
      const relay = startRelay({
        pool: this.#pool,
        connection,
        schema,
        stream: { ...stream, replicas: streamReplicas },
        partitionCount,
        leaseMs: 5_000,
        publishTimeoutMs: 2_000,
        hooks: hooksOf(stream.name),
      });
      this.#relays.set(schema, relay);
    }
  }

  /** Looks at once for facts in the outbox of a schema. */
  nudge(schema: string): void {
    this.#relays.get(schema)?.nudge();
  }

  /** Why facts do not flow; undefined while they do. */
  get trouble(): string | undefined {
    if (!this.#isConnected()) return 'not connected';
    for (const relay of this.#relays.values()) {
      if (relay.isReady()) continue;
      if (relay.isRefilling()) return 'the stream lost facts, which are published again';
      return relay.refusal() ?? 'the relay makes no progress';
    }
    return undefined;
  }

  /** What an operator should know of the streams. */
  get warnings(): readonly string[] {
    return [...this.#relays.values()].flatMap((relay) => relay.warnings());
  }

  async close(): Promise<void> {
    await Promise.all([...this.#relays.values()].map((relay) => relay.stop()));
    await this.#pool?.end();
  }
}
