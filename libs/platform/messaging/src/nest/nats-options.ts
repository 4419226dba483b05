import type { CustomStrategy, NatsOptions as NestNatsOptions, Transport } from '@nestjs/microservices';
import { type NatsOptions, resilientOptions } from '../nats/nats-options.ts';
import { JsonReplyDeserializer, JsonRequestSerializer, type JsonRequestReplyOptions } from './json-request-reply.ts';
import type { MessageDoor } from './message-door.ts';

export interface NatsMicroserviceOptions extends NatsOptions, JsonRequestReplyOptions {
  /** Replicas with the same queue share the requests; by their subject, where the app answers for several modules. */
  readonly queue: string | ((subject: string) => string);
  /** Who may come in; everybody unless told. */
  readonly door?: MessageDoor;
  /** Largest body that is read, 1 MiB unless told. */
  readonly bodyLimitBytes?: number;
  /**
   * Told of every message that was not let in, or not read, by the code of its refusal; of those shed for want of room as
   * `service.overloaded`, and of answers that could not be sent as `reply.lost`. It must cost next to nothing.
   */
  readonly onRefused?: (code: string) => void;
}

// Nest's enum is only a type here: an app that has no Nest does not load it.
const NATS: Transport.NATS = 2;

/**
 * Options for `app.connectMicroservice(…)`. The server waits for NATS at boot and comes back after any outage, speaks
 * plain JSON, and on shutdown lets requests in hand finish. What it lets in, see `JsonNatsServer`.
 */
export async function natsMicroserviceOptions(options: NatsMicroserviceOptions): Promise<CustomStrategy> {
  const { JsonNatsServer } = await import('./json-nats-server.ts');
  return { strategy: new JsonNatsServer(options) };
}

/** Options for Nest's NATS client that calls such a server. Pass its errors through `mapNatsClientError`. */
export function natsClientOptions(options: NatsOptions): NestNatsOptions {
  return {
    transport: NATS,
    options: {
      ...resilientOptions(options),
      serializer: new JsonRequestSerializer(),
      deserializer: new JsonReplyDeserializer(),
    },
  };
}
