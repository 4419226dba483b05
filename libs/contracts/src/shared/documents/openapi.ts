/** The OpenAPI 3.1 document of an app, made from its contract. */
import type { AppContract } from '../app-contract.ts';
import type { Operation, OperationExample } from '../operation.ts';
import { SchemaComponents } from './components.ts';
import { Problem, type ProblemDefinitions, ProblemResponses } from './problem-responses.ts';

export const API_VERSION = '1.0.0';

const HOW_TO_CALL = `
- Every call carries an API key: \`Authorization: Bearer opk_…\`. Each operation names the scope that the key needs.
- The id of a command is chosen by the caller and is its idempotency key: sent again, it answers what it answered first.
- A refusal is a problem document (RFC 9457). Programs read its \`code\`; \`retryable\` says whether to try again.
- Services ask the same questions over NATS, and follow the facts on JetStream: see [asyncapi.json](asyncapi.json).`;

const LIMITED = 'Refused to keys that are limited to nodes or channels. ';

/** Of every operation. */
const PERSON = {
  name: 'onepool-person',
  in: 'header',
  required: false,
  description:
    'The person on whose behalf a service calls that has the scope `people:act`; what it may is then what both may.',
  schema: { type: 'string' },
};

/** Of an operation whose call may say when it was sent. */
const SENT_AT = {
  name: 'onepool-sent-at',
  in: 'header',
  required: false,
  description:
    'When this was sent, by the clock that wrote its times. If that is later than its arrival the clock is ahead, and all its times are moved back by as much.',
  schema: { type: 'string', format: 'date-time' },
};

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, { readonly description?: string }>>;
  readonly required?: readonly string[];
}

/** Describes the operations with the problems that the app's catalogue defines. */
export function openApiDocument(contract: AppContract, problems: ProblemDefinitions): object {
  const { title, description, operations, examples, modules, schemas } = contract;
  const parts = modules.flatMap((module) => module.parts);
  const components = new SchemaComponents(schemas, operations);
  components.define('Problem', Problem);
  const responses = new ProblemResponses(problems);
  const paths: Record<string, Record<string, object>> = {};
  for (const [id, operation] of Object.entries(operations)) {
    const { path, method } = operation.http;
    const tags = parts.filter((part) => part.paths.test(path)).map(({ name }) => name);
    (paths[path] ??= {})[method.toLowerCase()] = {
      operationId: id,
      tags,
      ...describe(operation, examples[id], components, responses),
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title,
      version: API_VERSION,
      description: `${description}\n${HOW_TO_CALL}`,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The server that this document comes from.' }],
    security: [{ apiKey: [] }],
    tags: parts.map(({ name, description }) => ({ name, description })),
    paths,
    components: {
      schemas: components.schemas(),
      responses: responses.components(),
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, `opk_…`.' } },
    },
  };
}

function describe(
  operation: Operation,
  example: OperationExample | undefined,
  components: SchemaComponents,
  problems: ProblemResponses,
): object {
  const { params, query, http, summary, description = '', scope, response, csvAnswer, isForUnlimited } = operation;
  return {
    summary,
    description:
      `${description}\n\nScope: \`${scope}\`. ${isForUnlimited ? LIMITED : ''}${repetitionOf(operation)}`.trim(),
    parameters: [
      PERSON,
      ...(operation.saysSentAt ? [SENT_AT] : []),
      ...parameters(params, 'path', example?.params, components),
      ...parameters(query, 'query', example?.query, components),
    ],
    ...requestBody(operation, example, components),
    responses: {
      [http.success]: {
        description: 'Done.',
        content: {
          [csvAnswer ? 'text/csv' : 'application/json']: {
            schema: components.refer(response),
            ...exampleOf(example?.response),
          },
        },
      },
      ...problems.of(operation),
    },
  };
}

/** What a caller without an answer may do. */
function repetitionOf({ http, idempotency }: Operation): string {
  if (http.method === 'GET' || idempotency === undefined) return '';
  return idempotency === 'natural' ? 'Safe to repeat.' : `Safe to repeat with the same \`${idempotency}\`.`;
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
  const description = `The first line names the columns: ${csvColumns.join(', ')}. A cell that holds a list separates it by |, and \`all\` in its place means all.`;
  return { requestBody: { required: true, description, content: csv } };
}
