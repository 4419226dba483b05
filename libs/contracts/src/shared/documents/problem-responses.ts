/** What an operation may be refused with, as the problem documents of OpenAPI. */
import type { Operation } from '../operation.ts';

/** Problem codes with what their answers say; the app that serves the operations passes its catalogue. */
export type ProblemDefinitions = Readonly<
  Record<string, { readonly status: number; readonly title: string; readonly retryable: boolean }>
>;

export const Problem = {
  type: 'object',
  description: 'A problem document (RFC 9457).',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable; programs should read this.' },
    detail: { type: 'string' },
    retryable: { type: 'boolean', description: 'The same request may succeed later.' },
    errors: {
      type: 'array',
      items: { type: 'object' },
      description: 'Each thing that is wrong, where there are several.',
    },
  },
} as const;

/** Answers to what is no operation's address. */
const OF_ADDRESSES: readonly string[] = ['request.not_found', 'request.method_not_allowed'];
const OF_BODIES: readonly string[] = ['request.malformed_json', 'request.too_large', 'request.unsupported_media_type'];
const isShared = (code: string): boolean => /^(request|auth|identity|limit|service)\.|^internal$/.test(code);

/** Every code with which an operation may answer: its own, and those that any operation shares. */
export function problemCodesOf(operation: Operation, definitions: ProblemDefinitions): readonly string[] {
  const hasBody = Boolean(operation.body ?? operation.stream ?? operation.csvColumns);
  const shared = Object.keys(definitions).filter(
    (code) => isShared(code) && !OF_ADDRESSES.includes(code) && (hasBody || !OF_BODIES.includes(code)),
  );
  return [...new Set([...operation.problems, ...shared])];
}

/** Responses of one document: those that many operations share are described once. */
export class ProblemResponses {
  readonly #definitions: ProblemDefinitions;
  readonly #shared = new Map<string, object>();

  constructor(definitions: ProblemDefinitions) {
    this.#definitions = definitions;
  }

  /** By status, each with the codes that it may carry and an example of every one. */
  of(operation: Operation): Readonly<Record<string, object>> {
    const byStatus = new Map<number, string[]>();
    for (const code of problemCodesOf(operation, this.#definitions)) {
      const status = this.#definitions[code]?.status;
      if (status === undefined) throw new Error(`Broken invariant: ${code} is no problem code`);
      byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
    }
    const sorted = [...byStatus].sort(([one], [other]) => one - other);
    return Object.fromEntries(sorted.map(([status, codes]) => [status, this.#response(status, codes)]));
  }

  /** The shared ones so far, by name. */
  components(): Readonly<Record<string, object>> {
    return Object.fromEntries(this.#shared);
  }

  #response(status: number, codes: readonly string[]): object {
    const response = responseOf(status, codes, this.#definitions);
    if (!codes.every(isShared)) return response;
    const name = `Problem${status}${codes.some((code) => OF_BODIES.includes(code)) ? 'OfBody' : ''}`;
    this.#shared.set(name, response);
    return { $ref: `#/components/responses/${name}` };
  }
}

function responseOf(status: number, codes: readonly string[], definitions: ProblemDefinitions): object {
  const isRetried = codes.some((code) => definitions[code]?.retryable) && [429, 503].includes(status);
  const retryAfter = { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 1 } } };
  const example = (code: string): object => {
    const { title = '', retryable = false } = definitions[code] ?? {};
    return { summary: title, value: { type: `https://onepool.dev/problems/${code}`, title, status, code, retryable } };
  };
  return {
    description: codes.map((code) => `\`${code}\`: ${definitions[code]?.title ?? ''}.`).join(' '),
    ...(isRetried ? { headers: retryAfter } : {}),
    content: {
      'application/problem+json': {
        schema: { allOf: [{ $ref: '#/components/schemas/Problem' }], properties: { code: { enum: codes } } },
        examples: Object.fromEntries(codes.map((code) => [code, example(code)])),
      },
    },
  };
}
