/** JSON logs, one line an event, without secrets and with the ids of the request they belong to. */
import type { LoggerService } from '@nestjs/common';
import {
  type DestinationStream,
  type Logger,
  type LoggerOptions,
  destination,
  pino,
  stdSerializers,
  stdTimeFunctions,
} from 'pino';
import { redactKeys, redactMembers, secretSerializers } from './redact.ts';
import { currentTrace } from '@onepool/platform-tracing';
import { TurnStream } from './turn-stream.ts';

export type { Logger };

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface CreateLoggerOptions {
  /** The app's name, in every line. */
  readonly name: string;
  /** `info` unless said otherwise. */
  readonly level?: LogLevel;
  /** Where lines go; standard output, in turns of the event loop, unless said otherwise. */
  readonly destination?: DestinationStream;
}

/** Makes the app's logger. Lines within a request carry `request_id`, `trace_id` and `span_id`. */
export function createLogger(options: CreateLoggerOptions): Logger {
  const settings: LoggerOptions = {
    name: options.name,
    level: options.level ?? 'info',
    base: { pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) => redactMembers(fields),
    },
    serializers: { ...secretSerializers, err: (error: Error) => redactMembers({ ...stdSerializers.err(error) }) },
    mixin: () => {
      const trace = currentTrace();
      return trace ? { request_id: trace.requestId, trace_id: trace.traceId, span_id: trace.spanId } : {};
    },
    hooks: { streamWrite: redactKeys },
  };
  return pino(settings, options.destination ?? new TurnStream(standardOutput()));
}

/** Kept while they cannot be written; what comes on top is thrown away. */
const UNWRITTEN_BYTES_MAX = 1024 * 1024;

/** Our standard output. A write that fails, on a full disk above all, ends nothing: the next one tries again. */
function standardOutput(): DestinationStream {
  const output = destination({ dest: 1, sync: true, maxLength: UNWRITTEN_BYTES_MAX });
  output.on('error', () => undefined);
  return output;
}

/** Lets Nest's own messages go through our logger: `NestFactory.create(…, { logger: nestLogger(logger) })`. */
export function nestLogger(logger: Logger): LoggerService {
  const at =
    (level: 'debug' | 'error' | 'fatal' | 'info' | 'trace' | 'warn') =>
    (message: unknown, ...rest: unknown[]): void => {
      const context = rest.at(-1);
      const fields = typeof context === 'string' ? { context } : {};
      if (message instanceof Error) logger[level]({ ...fields, err: message }, message.message);
      else logger[level](fields, typeof message === 'string' ? message : JSON.stringify(message));
    };
  return {
    // What Nest says while it starts is of interest to those who look for it.
    log: at('debug'),
    debug: at('trace'),
    verbose: at('trace'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
  };
}
