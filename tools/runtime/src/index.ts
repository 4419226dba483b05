export { ensureRunning } from './ensure-running.ts';
export type { EnsureOptions, RunningSystem } from './ensure-running.ts';
export { OwnNats } from './nats/own-nats.ts';
export type { AddedUser } from './nats/own-nats.ts';
export { NatsUserError } from './nats/nats-users.ts';
export type { NatsUserRecord } from './nats/nats-users.ts';
export { describeRights } from './nats/permissions.ts';
export { homeOf } from './options.ts';
export { natsAccounts as ownNatsAccounts } from './nats/permissions.ts';
