/** Single calls, never repeated: what the prober is told is what it records. */
import { AVAILABILITY_OPERATIONS } from '@onepool/contracts';
import type { Operation } from '@onepool/contracts';
import { Pool } from 'undici';

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: unknown;
}

type OperationName = keyof typeof AVAILABILITY_OPERATIONS;

/** Longer than any deadline of the system, so that whoever answers at all is heard. */
const ATTEMPT_TIMEOUT_MS = 20_000;

export class Api {
  readonly url: string;
  readonly #key: string;
  readonly #pool: Pool;

  constructor(url: string, key: string) {
    this.url = url;
    this.#key = key;
    this.#pool = new Pool(url, { headersTimeout: ATTEMPT_TIMEOUT_MS, bodyTimeout: ATTEMPT_TIMEOUT_MS });
  }

  /** Sends an operation of the contract; `parameters` fill its path. @throws when no answer came. */
  async call(name: OperationName, parameters: Readonly<Record<string, string>>, body?: unknown): Promise<Answer> {
    const { http }: Operation = AVAILABILITY_OPERATIONS[name];
    const path = http.path.replace(/\{(\w+)\}/g, (_, member: string) => encodeURIComponent(parameters[member] ?? ''));
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await this.#pool.request({
      method: http.method,
      path,
      headers: { authorization: `Bearer ${this.#key}`, ...(body === undefined ? {} : JSON_HEADERS) },
      ...json,
    });
    const retryAfter = answer.headers['retry-after'];
    return {
      status: answer.statusCode,
      retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
      body: await answer.body.json(),
    };
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

const JSON_HEADERS = { 'content-type': 'application/json' };
