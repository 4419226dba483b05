/** An operation with its validators, compiled once: what comes over HTTP or NATS goes in, a checked call comes out. */
import { type Caller, callerOf } from '@onepool/platform-auth';
import { TIME_EXPECTATION, readTime } from '@onepool/platform-clock';
import { type Validator, compileQuerySchema, compileSchema, problem } from '@onepool/platform-problem';
import { type TSchema, Type } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import type { Call, ServedOperation } from './operation.ts';

/** Parts of a call that an operation has not got; whatever is sent for one is refused. */
const NOTHING = Type.Object({}, { additionalProperties: false });

const EMPTY = Object.freeze({});
const LIMITED = problem('auth.forbidden', {
  detail: 'The key is limited to nodes or channels; this is about what is everybody’s.',
});

/** What Nest hands to a handler of messages. */
interface NatsContextLike {
  getHeaders?(): { get(name: string): string } | undefined;
}

/** When a call was sent, by the clock that its times are of. */
const SENT_AT_HEADER = 'onepool-sent-at';
const NO_TIME = problem('request.invalid', {
  detail: `The header ${SENT_AT_HEADER} is not ${TIME_EXPECTATION}.`,
});

function hasMembers(value: unknown): boolean {
  for (const _name in value as object) return true;
  return false;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const namesOf = (schema: TSchema | undefined): readonly string[] =>
  Object.keys((schema?.['properties'] as object | undefined) ?? {});

type Parsed = Pick<Call<ServedOperation>, 'params' | 'query' | 'body'>;

export class CompiledOperation {
  readonly operation: ServedOperation;
  readonly #paramsText: Validator<unknown>;
  readonly #queryText: Validator<unknown>;
  readonly #params: Validator<unknown>;
  readonly #query: Validator<unknown>;
  readonly #body: Validator<unknown> | undefined;
  readonly #paramNames: readonly string[];
  readonly #queryNames: readonly string[];

  constructor(operation: ServedOperation) {
    const { params = NOTHING, query = NOTHING, body } = operation;
    this.operation = operation;
    this.#paramsText = compileQuerySchema(params);
    this.#queryText = compileQuerySchema(query);
    this.#params = compileSchema(params);
    this.#query = compileSchema(query);
    this.#body = body && compileSchema(body);
    this.#paramNames = namesOf(params);
    this.#queryNames = namesOf(query);
  }

  /**
   * The call of a request whose body, if it has one, is parsed as its content type says.
   *
   * @throws ProblemError `request.invalid`, or 415 when a CSV was sent in place of JSON, or the other way round.
   */
  ofRequest(request: FastifyRequest): Call<ServedOperation> {
    const contentType = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
    return {
      params: (this.operation.params ? this.#paramsText.parse(request.params) : EMPTY) as never,
      query: (this.operation.query || hasMembers(request.query)
        ? this.#queryText.parse(request.query)
        : EMPTY) as never,
      body: this.#bodyOf(request.body) as never,
      caller: this.#callerOf(request),
      via: 'http',
      sentAt: this.#sentAt(request.headers[SENT_AT_HEADER]),
      contentType,
    };
  }

  /** The call of a NATS message's payload. @throws ProblemError `request.invalid` */
  ofMessage(payload: unknown, carrier: object): Call<ServedOperation> {
    const headers = (carrier as NatsContextLike).getHeaders?.();
    const sentAt = this.#sentAt(headers?.get(SENT_AT_HEADER) || undefined);
    return { ...this.#partsOf(payload), caller: this.#callerOf(carrier), via: 'nats', sentAt, contentType: '' };
  }

  #sentAt(header: string | readonly string[] | undefined): number | null {
    if (!this.operation.saysSentAt || header === undefined) return null;
    const at = typeof header === 'string' ? readTime(header) : null;
    if (at === null) throw NO_TIME;
    return at;
  }

  #callerOf(carrier: object): Caller {
    const caller = callerOf(carrier);
    if (!caller) throw problem('auth.missing');
    const isLimited = caller.nodes !== 'all' || caller.channels !== 'all';
    if (this.operation.isForUnlimited && isLimited) throw LIMITED;
    return caller;
  }

  #bodyOf(body: unknown): unknown {
    if (this.operation.stream) return body;
    const { csvColumns } = this.operation;
    if (csvColumns) {
      if (Buffer.isBuffer(body)) return body;
      throw problem('request.unsupported_media_type', { detail: 'Send the file as text/csv.' });
    }
    if (Buffer.isBuffer(body)) {
      throw problem('request.unsupported_media_type', { detail: 'Send the body as application/json.' });
    }
    // What is sent to an operation that takes no body is no part of it.
    return this.#body?.parse(body);
  }

  /** Members that are neither the path's nor the query's are the body's, known or not. */
  #partsOf(payload: unknown): Parsed {
    const names = [...this.#paramNames, ...this.#queryNames];
    if (names.length === 0 && this.#body) return parsed({}, {}, this.#body.parse(payload));
    const members = isObject(payload) ? payload : {};
    const pick = (wanted: readonly string[]): object =>
      Object.fromEntries(wanted.filter((name) => Object.hasOwn(members, name)).map((name) => [name, members[name]]));
    const rest = Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)));
    const [params, query] = [pick(this.#paramNames), pick(this.#queryNames)];
    if (this.#body) return parsed(this.#params.parse(params), this.#query.parse(query), this.#body.parse(rest));
    // Where there is no body, what is left over is unknown to the last part that there is.
    return this.#queryNames.length > 0
      ? parsed(this.#params.parse(params), this.#query.parse({ ...query, ...rest }), undefined)
      : parsed(this.#params.parse({ ...params, ...rest }), {}, undefined);
  }
}

const parsed = (params: unknown, query: unknown, body: unknown): Parsed => ({ params, query, body }) as Parsed;

const compiled = new WeakMap<ServedOperation, CompiledOperation>();

/** The same for the same operation. */
export function compileOperation(operation: ServedOperation): CompiledOperation {
  const known = compiled.get(operation) ?? new CompiledOperation(operation);
  compiled.set(operation, known);
  return known;
}
