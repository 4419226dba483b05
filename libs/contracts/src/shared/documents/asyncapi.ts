/** The AsyncAPI 3.0 document of an app, made from its contract: requests over NATS, and the facts on JetStream. */
import type { AppContract } from '../app-contract.ts';
import type { FactDefinition } from '../fact-definition.ts';
import { type ModuleContract, factSource, factStream, queueOf, streamsOf } from '../module-contract.ts';
import type { Operation, OperationExample } from '../operation.ts';
import { SchemaComponents } from './components.ts';
import { API_VERSION } from './openapi.ts';
import { Problem } from './problem-responses.ts';

const describe = (
  { title, modules }: AppContract,
  onStreams: string,
): string => `What services say to ${title} over NATS, and what it tells them.

- **Questions and commands** are core NATS requests. The body is one JSON object of all that HTTP takes as path, query and body; the header \`authorization\` carries the API key as over HTTP. The reply's header \`onepool-status\` is the HTTP status of the same answer; from 400 on its body is a problem document. Each module of the app has subjects and a queue group of its own, which replicas share; a request that finds none is answered "no responders" by the server.
- **Facts** are CloudEvents 1.0 in NATS binary mode on JetStream${onStreams}: attributes in \`ce-\` headers, data in the body. The stream is at least once; \`ce-id\` is unique for ever, so a consumer that stores it takes each fact's effect once. Facts of one key come in order.${snapshotNote(modules)}
- Who may connect, and what of it, is decided by the NATS server's users and permissions.`;

const onStreamsOf = ({ modules }: AppContract): string => {
  const streams = streamsOf(modules).map(({ name }) => `\`${name}\``);
  return streams.length === 0 ? '' : `, on ${streams.join(', ')}`;
};

const snapshotNote = (modules: readonly ModuleContract[]): string =>
  modules.every(({ snapshots }) => snapshots === undefined)
    ? ''
    : `
- **Snapshots** are where a consumer begins that was not there from the first fact on: have a durable consumer made, read the pages, then apply the facts. An item and a fact of it are absolute and carry a version, and the newest wins. A page's \`position\` is \`epoch:sequence\` of the stream: facts of that epoch up to that sequence are in the page. A fact of a greater \`ce-streamepoch\` says that the stream has lost facts, and what was built from it is to be built anew.`;

const text = (description: string, more: object = {}) => ({ type: 'string', description, ...more });

/** CloudEvents attributes of a fact, as NATS headers. */
const factHeaders = (scope: string) => ({
  type: 'object',
  required: ['ce-specversion', 'ce-id', 'ce-source', 'ce-type', 'ce-time', 'ce-subject', 'ce-partitionkey'],
  properties: {
    'ce-specversion': text('Version of CloudEvents.', { const: '1.0' }),
    'ce-id': text('Unique for ever; also the `Nats-Msg-Id`, by which JetStream drops what is published twice.'),
    'ce-source': text('The module that tells it.', { const: factSource(scope) }),
    'ce-type': text('The same as the NATS subject.'),
    'ce-time': text('When it happened.', { format: 'date-time' }),
    'ce-subject': text(
      'The key, that is what the fact is about: its kind and its name, as `sku/<code>`. Each part of the name is percent-encoded, so that a slash parts them; as CloudEvents says, `%` is then written `%25` in a header.',
    ),
    'ce-partitionkey': text('The key again, by the CloudEvents extension for partitioning, percent-encoded likewise.'),
    'ce-streamepoch': text('How often the stream was found short of facts when this was published, from 1 on.', {
      pattern: '^[1-9]\\d*$',
    }),
    'Nats-Msg-Id': text('The same as `ce-id`.'),
    'content-type': text('The type of the body.', { const: 'application/json' }),
    traceparent: text('W3C trace context of the cause, where there is one.'),
  },
});

const REQUEST_HEADERS = {
  type: 'object',
  required: ['authorization'],
  properties: {
    authorization: text('`Bearer opk_…`, an API key with the scope that the operation names.'),
    'onepool-person': text('The person on whose behalf a service calls that has the scope `people:act`.'),
    'onepool-sent-at': text('Of movements and shipments: when this was sent, by the clock that wrote its times.'),
    traceparent: text('W3C trace context; continued where it is sent.'),
  },
} as const;

const REPLY_HEADERS = {
  type: 'object',
  required: ['onepool-status'],
  properties: { 'onepool-status': text('HTTP status of the same answer.', { pattern: '^[1-5]\\d\\d$' }) },
} as const;

/** Describes the requests that the app answers, and the facts that it publishes. */
export function asyncApiDocument(contract: AppContract): object {
  const { name, title, modules, examples, operations: offered } = contract;
  const onStreams = onStreamsOf(contract);
  const components = new SchemaComponents(contract.schemas, offered);
  components.define('Problem', Problem);
  const channels: Record<string, object> = {};
  const operations: Record<string, object> = {};
  for (const [id, operation] of Object.entries(offered)) {
    if (operation.subject === undefined) continue;
    channels[id] = requestChannel(id, operation, operation.subject, examples[id], components);
    operations[id] = requestOperation(id, operation, queueOf(operation.subject));
  }
  for (const { scope, facts, snapshots = {} } of modules) {
    for (const fact of facts) {
      const pages = Object.values(snapshots).find((snapshot) => fact.id in snapshot.facts)?.pages;
      channels[fact.id] = factChannel(fact, factStream(scope).name, pages, factHeaders(scope), components);
      operations[fact.id] = factOperation(fact);
    }
  }
  return {
    asyncapi: '3.0.0',
    id: `urn:onepool:${name}`,
    info: {
      title,
      version: API_VERSION,
      description: describe(contract, onStreams),
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      tags: [
        { name: 'request', description: 'Questions and commands, each answered by one reply.' },
        { name: 'fact', description: `What has happened${onStreams}.` },
      ],
    },
    defaultContentType: 'application/json',
    servers: {
      nats: {
        host: '127.0.0.1:3011',
        protocol: 'nats',
        description: `The nats-server that \`npm start\` runs, or the one of \`NATS_URL\`. It has JetStream${onStreams}.`,
        security: [{ $ref: '#/components/securitySchemes/natsUser' }],
      },
    },
    channels,
    operations,
    components: {
      schemas: components.schemas(),
      securitySchemes: {
        natsUser: {
          type: 'userPassword',
          description: 'A user of the NATS server, with permissions for the subjects that it needs.',
        },
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key, sent as the header `authorization` of each request.',
        },
      },
    },
  };
}

/** One closed object: several closed schemas under `allOf` would refuse each other's members. */
function messageSchema(id: string, { params, query, body }: Operation, components: SchemaComponents): object {
  const parts = [params, query, body].filter((schema) => schema !== undefined);
  if (parts.length === 1) return components.refer(parts[0]);
  const properties = Object.assign({}, ...parts.map((part) => part['properties'] as object)) as object;
  const required = parts.flatMap((part) => (part['required'] as readonly string[] | undefined) ?? []);
  const schema = { type: 'object', additionalProperties: false, properties, required };
  return components.define(`${id.charAt(0).toUpperCase()}${id.slice(1)}Message`, schema);
}

function requestChannel(
  id: string,
  operation: Operation,
  address: string,
  example: Partial<OperationExample> = {},
  components: SchemaComponents,
): object {
  const { params, query, body, response } = example;
  const request = Object.assign({}, params, query, body) as object;
  return {
    address,
    title: operation.summary,
    messages: {
      request: {
        name: `${id}.request`,
        title: operation.summary,
        headers: REQUEST_HEADERS,
        payload: messageSchema(id, operation, components),
        examples: [{ payload: request }],
      },
      reply: {
        name: `${id}.reply`,
        title: 'The answer.',
        headers: REPLY_HEADERS,
        payload: components.refer(operation.response),
        ...(response === undefined ? {} : { examples: [{ payload: response }] }),
      },
      problem: {
        name: `${id}.problem`,
        title: 'A refusal.',
        summary: `Codes of its own: ${operation.problems.map((code) => `\`${code}\``).join(', ') || 'none'}.`,
        headers: REPLY_HEADERS,
        payload: components.refer({ $ref: '#/components/schemas/Problem' }),
      },
    },
  };
}

function requestOperation(id: string, { summary, description = '', scope }: Operation, queue: string): object {
  const channel = `#/channels/${id}`;
  return {
    action: 'receive',
    channel: { $ref: channel },
    summary,
    description: `${description}\n\nScope: \`${scope}\`.`.trim(),
    tags: [{ name: 'request' }],
    security: [{ $ref: '#/components/securitySchemes/apiKey' }],
    bindings: { nats: { queue } },
    messages: [{ $ref: `${channel}/messages/request` }],
    reply: {
      channel: { $ref: channel },
      messages: [{ $ref: `${channel}/messages/reply` }, { $ref: `${channel}/messages/problem` }],
    },
  };
}

function factChannel(
  { subject, data, summary, description, example }: FactDefinition,
  stream: string,
  pages: string | undefined,
  headers: object,
  components: SchemaComponents,
): object {
  return {
    address: subject,
    title: summary,
    description: `${description} Stream: \`${stream}\`.${pages === undefined ? '' : ` Snapshot: \`${pages}\`.`}`,
    'x-jetstream-stream': stream,
    messages: {
      fact: {
        name: subject,
        title: summary,
        contentType: 'application/json',
        headers,
        payload: components.refer(data),
        ...(example === undefined ? {} : { examples: [{ payload: example }] }),
      },
    },
  };
}

function factOperation({ id, summary, description }: FactDefinition): object {
  const channel = `#/channels/${id}`;
  return {
    action: 'send',
    channel: { $ref: channel },
    summary,
    description,
    tags: [{ name: 'fact' }],
    messages: [{ $ref: `${channel}/messages/fact` }],
  };
}
