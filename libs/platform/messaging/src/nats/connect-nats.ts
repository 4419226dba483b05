import { setTimeout as delay } from 'node:timers/promises';
import { type NatsConnection, connect, errors } from '@nats-io/transport-node';
import { type NatsOptions, natsTarget, resilientOptions } from './nats-options.ts';
import { NatsTrouble, NatsUnreachableError, describeTrouble } from './nats-trouble.ts';

const RETRY_MS = 250;

/**
 * Connects, however long the server takes to appear, and tells `report` meanwhile what it waits for. With `giveUpAfterMs` it
 * gives up then, and at once when the server refuses the credentials. Close it with `drain()`.
 *
 * @throws NatsSettingsError; NatsUnreachableError with a sentence for whoever started the program; AbortError of `signal`.
 */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  // The client's own waiting keeps its reasons to itself, so the first connection is waited for here.
  const settings = { ...resilientOptions(options), waitOnFirstConnect: false };
  const target = natsTarget(options);
  const trouble = new NatsTrouble(target, options.report ?? (() => undefined));
  const deadline = performance.now() + (options.giveUpAfterMs ?? Infinity);
  for (;;) {
    try {
      const connection = await connect(settings);
      trouble.over(performance.now());
      if (options.report !== undefined) void follow(connection, trouble);
      return connection;
    } catch (error) {
      const isHopeless = options.giveUpAfterMs !== undefined && error instanceof errors.AuthorizationError;
      if (isHopeless || performance.now() >= deadline) {
        throw new NatsUnreachableError(describeTrouble(error, target), { cause: error });
      }
      trouble.is(error, performance.now());
    }
    await delay(RETRY_MS, undefined, { signal: options.signal });
  }
}

/** The prefix of the subjects on which this connection may receive answers. */
export function inboxPrefixOf(connection: NatsConnection): string | undefined {
  // The client keeps its options, on which its own JetStream library relies; only their type is missing.
  return (connection as { readonly options?: { readonly inboxPrefix?: string } }).options?.inboxPrefix;
}

async function follow(connection: NatsConnection, trouble: NatsTrouble): Promise<void> {
  let reason: unknown;
  for await (const status of connection.status()) {
    if (status.type === 'error') {
      if (status.error instanceof errors.PermissionViolationError) trouble.denied(status.error);
      else reason = status.error;
    } else if (status.type === 'disconnect' || status.type === 'reconnecting') {
      trouble.is(reason, performance.now());
    } else if (status.type === 'reconnect') {
      reason = undefined;
      trouble.over(performance.now());
    }
  }
}
