/** OpenAPI 3.1 and AsyncAPI 3.0 documents, generated from the table of operations and facts. */
import { AVAILABILITY_OPERATIONS, type Operation } from './operations.ts';
import {
  PROMISE_BROKEN,
  PromiseBroken,
  RESERVATION_FACTS,
  ReservationChanged,
  SKU_CHANGED,
  SkuChanged,
  reservationSubject,
} from './facts.ts';

const VERSION = '1.0.0';
const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable; programs should read this.' },
    detail: { type: 'string' },
    retryable: { type: 'boolean' },
    errors: { type: 'array', items: { type: 'object' } },
  },
} as const;

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}

function parameters(schema: unknown, place: 'path' | 'query'): object[] {
  const { properties = {}, required = [] } = (schema ?? {}) as ObjectSchema;
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

function streamedBody({ contentTypes, row, description }: NonNullable<Operation['stream']>): object {
  const content = contentTypes.map((type) => [
    type,
    { schema: { type: 'string', contentMediaType: 'application/json', contentSchema: row } },
  ]);
  const csv = ['text/csv', { schema: { type: 'string' } }];
  return { required: true, description, content: Object.fromEntries([...content, csv]) };
}

function requestBody(operation: Operation): object {
  if (operation.body)
    return { requestBody: { required: true, content: { 'application/json': { schema: operation.body } } } };
  if (operation.stream) return { requestBody: streamedBody(operation.stream) };
  if (!operation.csvColumns) return {};
  const description = `First line names the columns: ${operation.csvColumns.join(', ')}. Lists within a cell are separated by |.`;
  return { requestBody: { required: true, description, content: { 'text/csv': { schema: { type: 'string' } } } } };
}

function pathItem(id: string, operation: Operation): object {
  const problem = {
    description: 'A problem document (RFC 9457).',
    content: { 'application/problem+json': { schema: problemSchema } },
  };
  return {
    operationId: id,
    summary: operation.summary,
    description: `Scope: \`${operation.scope}\`.${operation.problems.length > 0 ? ` Problem codes: ${operation.problems.map((code) => `\`${code}\``).join(', ')}.` : ''}`,
    security: [{ apiKey: [] }],
    parameters: [...parameters(operation.params, 'path'), ...parameters(operation.query, 'query')],
    ...requestBody(operation),
    responses: {
      [operation.http.success]: {
        description: 'Done.',
        content: { 'application/json': { schema: operation.response } },
      },
      default: problem,
    },
  };
}

/** One closed object: several closed schemas under `allOf` would refuse each other's members. */
function messageSchema({ params, query, body }: Operation): object {
  const parts = [params, query, body].filter((schema) => schema !== undefined) as ObjectSchema[];
  const properties = Object.assign({}, ...parts.map((part) => part.properties)) as object;
  const required = parts.flatMap((part) => part.required ?? []);
  return { type: 'object', additionalProperties: false, properties, required };
}

/** The availability app's HTTP interface. */
export function openApiDocument(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [id, operation] of Object.entries<Operation>(AVAILABILITY_OPERATIONS)) {
    const { path, method } = operation.http;
    (paths[path] ??= {})[method.toLowerCase()] = pathItem(id, operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Onepool availability',
      version: VERSION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, `opk_…`.' } },
    },
  };
}

/** Request/reply subjects and the facts on JetStream. */
export function asyncApiDocument(): object {
  const channels: Record<string, object> = {};
  const described: Record<string, object> = {};
  for (const [id, operation] of Object.entries<Operation>(AVAILABILITY_OPERATIONS)) {
    if (!operation.subject) continue;
    const payload = messageSchema(operation);
    channels[id] = {
      address: operation.subject,
      messages: { request: { payload }, reply: { payload: operation.response } },
    };
    described[id] = {
      action: 'receive',
      channel: { $ref: `#/channels/${id}` },
      summary: operation.summary,
      messages: [{ $ref: `#/channels/${id}/messages/request` }],
      reply: { channel: { $ref: `#/channels/${id}` }, messages: [{ $ref: `#/channels/${id}/messages/reply` }] },
    };
  }
  const facts = [
    { id: 'skuChanged', subject: SKU_CHANGED, payload: SkuChanged },
    { id: 'promiseBroken', subject: PROMISE_BROKEN, payload: PromiseBroken },
    ...RESERVATION_FACTS.map((fact) => ({
      id: `reservation_${fact}`,
      subject: reservationSubject(fact),
      payload: ReservationChanged,
    })),
  ];
  for (const { id, subject, payload } of facts) {
    channels[id] = { address: subject, messages: { fact: { contentType: 'application/json', payload } } };
    described[id] = {
      action: 'send',
      channel: { $ref: `#/channels/${id}` },
      messages: [{ $ref: `#/channels/${id}/messages/fact` }],
    };
  }
  return {
    asyncapi: '3.0.0',
    info: { title: 'Onepool availability', version: VERSION },
    channels,
    operations: described,
  };
}
