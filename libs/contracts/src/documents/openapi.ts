/** The OpenAPI 3.1 document of the availability app, made from the table of operations. */
import { AVAILABILITY_OPERATIONS, type Operation } from '../operations.ts';
import { SchemaComponents } from './components.ts';
import { OPERATION_EXAMPLES, type OperationExample } from './examples.ts';
import { Problem, type ProblemDefinitions, ProblemResponses } from './problem-responses.ts';

export const API_VERSION = '1.0.0';

/** Parts of the API, in the order of the reference; `paths` says which operations belong to each. */
const TAGS = [
  {
    name: 'Catalogue',
    paths: /^\/v1\/(skus|nodes|channels|thresholds)/,
    description: 'What is sold, where it lies, who sells it, and how many units of it a channel does not see.',
  },
  {
    name: 'ATP',
    paths: /^\/v1\/atp/,
    description: 'Available to promise: what a channel may sell now. Read from memory, at most 250 ms behind.',
  },
  {
    name: 'Reservations',
    paths: /^\/v1\/reservations/,
    description:
      'One object from cart to shipment. Its units are held, then confirmed, then fulfilled, released, expired or cancelled, and each is backed by stock at a named node.',
  },
  {
    name: 'Stock',
    paths: /^\/v1\/(stock|movements|ledger)/,
    description:
      'The book: units by SKU, node and state, the movements that change them, and the ledger that says why.',
  },
  {
    name: 'Feeds',
    paths: /^\/v1\/feeds/,
    description: 'Counts and changes of stock told by another system, by the million rows.',
  },
  {
    name: 'Exceptions and events',
    paths: /^\/v1\/(exceptions|events)/,
    description: 'Promises that no node can cover, and how many facts were written.',
  },
] as const;

const DESCRIPTION = `Stock, reservations and what can be promised (ATP).

- Every call carries an API key: \`Authorization: Bearer opk_…\`. Each operation names the scope that the key needs.
- The id of a command is chosen by the caller and is its idempotency key: sent again, it answers what it answered first.
- A refusal is a problem document (RFC 9457). Programs read its \`code\`; \`retryable\` says whether to try again.
- Services ask the same questions over NATS, and follow the facts on JetStream: see [asyncapi.json](asyncapi.json).`;

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, { readonly description?: string }>>;
  readonly required?: readonly string[];
}

/** Describes the operations with the problems that the app's catalogue defines. */
export function openApiDocument(problems: ProblemDefinitions): object {
  const components = new SchemaComponents();
  components.define('Problem', Problem);
  const responses = new ProblemResponses(problems);
  const paths: Record<string, Record<string, object>> = {};
  for (const [id, operation] of Object.entries<Operation>(AVAILABILITY_OPERATIONS)) {
    const { path, method } = operation.http;
    (paths[path] ??= {})[method.toLowerCase()] = describe(id, operation, components, responses);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Onepool availability',
      version: API_VERSION,
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The server that this document comes from.' }],
    security: [{ apiKey: [] }],
    tags: TAGS.map(({ name, description }) => ({ name, description })),
    paths,
    components: {
      schemas: components.schemas(),
      responses: responses.components(),
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, `opk_…`.' } },
    },
  };
}

function describe(id: string, operation: Operation, components: SchemaComponents, problems: ProblemResponses): object {
  const example = (OPERATION_EXAMPLES as Readonly<Record<string, OperationExample>>)[id];
  const { params, query, http, summary, description = '', scope, response } = operation;
  return {
    operationId: id,
    tags: TAGS.filter(({ paths }) => paths.test(http.path)).map(({ name }) => name),
    summary,
    description: `${description}\n\nScope: \`${scope}\`.`.trim(),
    parameters: [
      ...parameters(params, 'path', example?.params, components),
      ...parameters(query, 'query', example?.query, components),
    ],
    ...requestBody(operation, example, components),
    responses: {
      [http.success]: {
        description: 'Done.',
        content: { 'application/json': { schema: components.refer(response), ...exampleOf(example?.response) } },
      },
      ...problems.of(operation),
    },
  };
}

const exampleOf = (example: unknown): object => (example === undefined ? {} : { example });

function parameters(
  schema: unknown,
  place: 'path' | 'query',
  examples: object | undefined,
  components: SchemaComponents,
): object[] {
  const { properties = {}, required = [] } = (schema ?? {}) as ObjectSchema;
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(property.description === undefined ? {} : { description: property.description }),
    schema: components.refer(property),
    ...exampleOf((examples as Record<string, unknown> | undefined)?.[name]),
  }));
}

function requestBody(
  operation: Operation,
  example: OperationExample | undefined,
  components: SchemaComponents,
): object {
  const { body, stream, csvColumns } = operation;
  if (body) {
    const content = { 'application/json': { schema: components.refer(body), ...exampleOf(example?.body) } };
    return { requestBody: { required: true, content } };
  }
  const csv = { 'text/csv': { schema: { type: 'string' }, ...exampleOf(example?.csv) } };
  if (stream) {
    const row = { type: 'string', contentMediaType: 'application/json', contentSchema: components.refer(stream.row) };
    const rows = stream.contentTypes.map((type) => [type, { schema: row, ...exampleOf(example?.ndjson) }]);
    const content = { ...Object.fromEntries(rows), ...csv };
    return { requestBody: { required: true, description: stream.description, content } };
  }
  if (!csvColumns) return {};
  const description = `The first line names the columns: ${csvColumns.join(', ')}. A cell that holds a list separates it by |.`;
  return { requestBody: { required: true, description, content: csv } };
}
