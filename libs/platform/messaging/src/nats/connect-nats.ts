import { connect, type NatsConnection, type NodeConnectionOptions, type Status } from '@nats-io/transport-node';

export interface NatsOptions {
  /** `nats://host:port`, or several separated by commas. */
  readonly url: string;
  /** Shown in the server's connection list. */
  readonly name: string;
  readonly token?: string;
  /** Told of every change: disconnect, reconnecting, reconnect, error, slow consumer, … */
  readonly onStatus?: (status: Status) => void;
}

/**
 * The options under which a connection outlives any outage: it waits for the first server and never gives up, with
 * jitter so that a restart does not bring every client back in the same instant. Pings notice a half-open connection
 * within about 15 seconds.
 */
export function resilientOptions(options: Omit<NatsOptions, 'onStatus'>): NodeConnectionOptions {
  return {
    servers: options.url.split(','),
    name: options.name,
    ...(options.token === undefined ? {} : { token: options.token }),
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    pingInterval: 5_000,
    maxPingOut: 2,
    ignoreAuthErrorAbort: true,
    // Without it every publish and every request makes two errors in advance, for their stacks: half of what it costs.
    noAsyncTraces: true,
  };
}

/** Connects, however long the server takes to appear. Close it with `drain()`. */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const connection = await connect(resilientOptions(options));
  const { onStatus } = options;
  if (onStatus !== undefined) {
    void (async () => {
      for await (const status of connection.status()) onStatus(status);
    })();
  }
  return connection;
}
