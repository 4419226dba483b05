import type { NatsConnection } from '@nats-io/transport-node';
import type { ConsumerHooks } from '@onepool/platform-messaging';
import type { MirrorPlan } from './mirror-plan.ts';
import type { MirrorStore } from './mirror-store.ts';
import type { AnyPages } from './page-reader.ts';
import type { AnewReason } from './why-anew.ts';

/**
 * `building`: it is being built, the first time or anew; `following`: what was in the stream at the look before is in; `behind`:
 * that is not so, or it could not be looked at.
 */
export type MirrorStage = 'building' | 'following' | 'behind';

/** For metrics and logs. But for `onDeadLetter` they must not throw. */
export interface MirrorHooks extends Pick<ConsumerHooks, 'onAlarm' | 'onDeadLetter' | 'onHandled'> {
  /** It is built anew from here. */
  readonly onAnew?: (reason: AnewReason) => void;
  /** Something failed; it goes on by itself. */
  readonly onError?: (error: unknown) => void;
}

export interface FollowerSettings {
  readonly connection: NatsConnection;
  readonly durable: string;
  readonly provisioned: boolean;
  readonly domain: string | undefined;
  readonly client: AnyPages;
  readonly plan: MirrorPlan;
  readonly store: MirrorStore<never>;
  readonly pageItems: number;
  readonly concurrency: number;
  readonly lookIntervalMs: number;
  readonly hooks: MirrorHooks;
}
