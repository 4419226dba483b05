import type { NatsConnection } from '@nats-io/transport-node';
import type { AppContract } from '@onepool/contracts';
import { Follower } from './follower.ts';
import type { MirrorHooks, MirrorStage } from './follower-settings.ts';
import type { KindsOf, PageClient, SnapshotModule } from './kinds.ts';
import { MirrorPlan } from './mirror-plan.ts';
import type { MirrorStore } from './mirror-store.ts';
import type { AnyPages } from './page-reader.ts';

export interface FollowOptions<C extends AppContract> {
  /** Reads the pages, over HTTP or NATS. */
  readonly client: PageClient<C>;
  /** Delivers the facts. */
  readonly connection: NatsConnection;
  /** Which module of the app is mirrored, by its scope. */
  readonly module: SnapshotModule<C>;
  /** Name of the durable consumer. Replicas that share a store share it; who has a store of its own has its own. */
  readonly durable: string;
  readonly into: MirrorStore<KindsOf<C>>;
  /** True where the operator made the durable and the dead-letter stream, and we may make nothing. */
  readonly provisioned?: boolean;
  /** JetStream's domain, where we are a guest; see `GUEST_DOMAIN` of the contracts. */
  readonly domain?: string;
  /** Items of a page at most, 500 unless told. */
  readonly pageItems?: number;
  /** Facts in hand at once, of different keys; 64 unless told. */
  readonly concurrency?: number;
  /** How often to look for what no fact tells, 10 s unless told. */
  readonly lookIntervalMs?: number;
  readonly hooks?: MirrorHooks;
}

/** A mirror that is being kept. */
export interface FollowedMirror {
  stage(): MirrorStage;
  /** Whether it can be read, for readiness: it was complete at some time, and stays readable while it is built anew. */
  isReady(): boolean;
  /** Resolves when it can be read. */
  ready(): Promise<void>;
  /** Finishes what is in hand. The mirror goes on from there when it is followed again. */
  stop(): Promise<void>;
}

/**
 * Keeps a mirror of an app's things: from its snapshots first, whenever that begins, and then from its facts. It survives
 * restarts of everybody, a stream that was lost and filled again, and being away for longer than the stream keeps facts.
 *
 * @throws Error where the contract has no such module with snapshots.
 * @example
 * const catalogue = new MemoryMirror(AVAILABILITY);
 * const mirror = followSnapshots(AVAILABILITY, { client, connection, module: 'catalog', durable: 'reports', into: catalogue });
 * await mirror.ready();
 * catalogue.get('skus', 'mug')?.title
 */
export function followSnapshots<const C extends AppContract>(contract: C, options: FollowOptions<C>): FollowedMirror {
  const { into, module, client, connection, durable, domain, ...more } = options;
  const follower = new Follower({
    provisioned: false,
    pageItems: 500,
    concurrency: 64,
    lookIntervalMs: 10_000,
    hooks: {},
    ...more,
    connection,
    durable,
    domain,
    client: client as unknown as AnyPages,
    plan: new MirrorPlan(contract, module),
    store: into as unknown as MirrorStore<never>,
  });
  const finished = follower.run();
  return {
    stage: () => follower.stage,
    isReady: () => follower.isReadable,
    ready: () => follower.firstRead,
    async stop() {
      follower.requestStop();
      await finished;
    },
  };
}
