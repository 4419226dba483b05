/** What one replica lets the callers of its HTTP server take, whoever they are. Every app has the same settings. */
import { type Static, Type } from '@sinclair/typebox';

/** Settings of every HTTP app; spread them into its configuration's schema. */
export const HTTP_SETTINGS = {
  ONEPOOL_HTTP_CONNECTIONS: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 2_000,
    description: 'Connections at once; another takes the place of the one idle for longest, or is closed if none is.',
  }),
  ONEPOOL_HTTP_IDLE_MS: Type.Integer({
    minimum: 1_000,
    maximum: 3_600_000,
    default: 72_000,
    description: 'How long a connection may stay open between two requests.',
  }),
  ONEPOOL_HTTP_STALL_MS: Type.Integer({
    minimum: 100,
    maximum: 600_000,
    default: 20_000,
    description: 'Longest time for the head of a request, and longest standstill of a body or of a reader.',
  }),
  ONEPOOL_HTTP_BYTES_PER_SECOND: Type.Integer({
    minimum: 1,
    maximum: 1_000_000_000,
    default: 4_096,
    description: 'Slowest body and slowest reader, on average over the time above.',
  }),
  ONEPOOL_HTTP_UPLOADS: Type.Integer({
    minimum: 1,
    maximum: 10_000,
    default: 16,
    description: 'Streamed uploads at once, a quarter of them of one client; another is answered 429.',
  }),
} as const;

type HttpSettings = { readonly [Name in keyof typeof HTTP_SETTINGS]: Static<(typeof HTTP_SETTINGS)[Name]> };

export interface HttpLimits {
  readonly connectionsMax: number;
  /** Requests of one connection that wait for their answers. */
  readonly waitingMax: number;
  readonly idleMs: number;
  readonly stallMs: number;
  readonly bytesPerSecondMin: number;
  /** Streamed uploads at once, of all clients and of one. */
  readonly uploadsMax: number;
  readonly uploadsPerClientMax: number;
}

/** Hardly any client sends a request before the last one was answered, and those that do send a few. */
const WAITING_MAX = 32;

export function httpLimits(settings: HttpSettings): HttpLimits {
  return {
    connectionsMax: settings.ONEPOOL_HTTP_CONNECTIONS,
    waitingMax: WAITING_MAX,
    idleMs: settings.ONEPOOL_HTTP_IDLE_MS,
    stallMs: settings.ONEPOOL_HTTP_STALL_MS,
    bytesPerSecondMin: settings.ONEPOOL_HTTP_BYTES_PER_SECOND,
    uploadsMax: settings.ONEPOOL_HTTP_UPLOADS,
    uploadsPerClientMax: Math.ceil(settings.ONEPOOL_HTTP_UPLOADS / 4),
  };
}
