import type { NatsOptions as NestNatsOptions, Transport } from '@nestjs/microservices';
import { type NatsOptions, resilientOptions } from '../nats/nats-options.ts';
import {
  JsonReplyDeserializer,
  JsonReplySerializer,
  JsonRequestDeserializer,
  JsonRequestSerializer,
  type JsonRequestReplyOptions,
} from './json-request-reply.ts';

export interface NatsMicroserviceOptions extends NatsOptions, JsonRequestReplyOptions {
  /** Replicas with the same queue share the requests. */
  readonly queue: string;
}

// Nest's enum is only a type here: an app that has no Nest does not load it.
const NATS: Transport.NATS = 2;

/**
 * Options for `app.connectMicroservice(…)`. The server waits for NATS at boot and comes back after any outage, speaks
 * plain JSON, and on shutdown lets requests in hand finish.
 */
export function natsMicroserviceOptions(options: NatsMicroserviceOptions): NestNatsOptions {
  return {
    transport: NATS,
    options: {
      ...resilientOptions(options),
      queue: options.queue,
      gracefulShutdown: true,
      gracePeriod: 1_000,
      deserializer: new JsonRequestDeserializer(options),
      serializer: new JsonReplySerializer(options),
    },
  };
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
