import type { NatsConnection } from '@nats-io/transport-node';

/** Follows the status of a connection that is open when the monitor is made. */
export interface ConnectionMonitor {
  /** Whether the connection is up right now, as far as the client can tell. */
  isConnected(): boolean;
  /** Stops following. */
  stop(): void;
}

/**
 * Watches a connection for readiness. `onReconnect` runs after each return from a disconnection.
 *
 * @example const nats = monitorConnection(connection); readiness.add('nats', () => nats.isConnected());
 */
export function monitorConnection(connection: NatsConnection, onReconnect?: () => void): ConnectionMonitor {
  let connected = !connection.isClosed();
  const statuses = connection.status();
  const follow = async (): Promise<void> => {
    for await (const status of statuses) {
      if (status.type === 'disconnect' || status.type === 'close') connected = false;
      if (status.type !== 'reconnect') continue;
      connected = true;
      onReconnect?.();
    }
    connected = false;
  };
  void follow();
  return {
    isConnected: () => connected && !connection.isClosed(),
    stop: () => stopIterator(statuses),
  };
}

/** The iterator that `status()` returns can be stopped, which its type does not say. */
function stopIterator(iterator: AsyncIterable<unknown>): void {
  if ('stop' in iterator && typeof iterator.stop === 'function') iterator.stop();
}
