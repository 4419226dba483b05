import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  AVAILABILITY,
  AVAILABILITY_EXAMPLES,
  AVAILABILITY_OPERATIONS,
  CATALOG_FACTS,
  STOCK_FACTS,
  STOCK_STREAM,
  FeedRow,
  IDENTITY_FACTS,
  type Operation,
  type OperationExample,
  asyncApiDocument,
  openApiDocument,
} from '@onepool/contracts';
import { compileSchema } from '@onepool/platform-problem';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv, type AnySchema } from 'ajv';
import { problems } from './problems.ts';

const operations = Object.entries<Operation>(AVAILABILITY_OPERATIONS);
const asJson = (document: object): unknown => JSON.parse(JSON.stringify(document));

const referencesOf = (document: object): readonly string[] =>
  [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference!);

const resolve = (document: object, reference: string): unknown =>
  reference
    .slice(2)
    .split('/')
    .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document);

describe('the examples of operations', () => {
  const parts = operations.flatMap(([id, { params, query, body, response }]) => {
    const example = AVAILABILITY_EXAMPLES[id as keyof typeof AVAILABILITY_EXAMPLES] as OperationExample;
    const pairs = { params, query, body, response };
    return Object.entries(pairs).flatMap(([part, schema]) =>
      schema === undefined ? [] : [{ name: `${id}.${part}`, schema, value: example[part as keyof typeof pairs] }],
    );
  });

  it.each(parts)('$name is what its schema allows', ({ schema, value }) => {
    expect(value).toBeDefined();
    expect(compileSchema<unknown>(schema).check(value)).toEqual([]);
  });

  it.each(STOCK_FACTS.filter((fact) => 'example' in fact))('of the fact $id are what its schema allows', (fact) => {
    expect(compileSchema<unknown>(fact.data).check(fact.example)).toEqual([]);
  });

  it('show rows of a feed that its schema allows', () => {
    const rows = AVAILABILITY_EXAMPLES.sendFeed.ndjson.trim().split('\n');
    for (const row of rows) expect(compileSchema(FeedRow).check(JSON.parse(row))).toEqual([]);
  });

  it('show files whose columns the operation knows', () => {
    for (const [id, { csvColumns }] of operations) {
      const { csv } = AVAILABILITY_EXAMPLES[id as keyof typeof AVAILABILITY_EXAMPLES] as OperationExample;
      const columns = csv?.split('\n')[0]?.split(',') ?? [];
      if (csvColumns) expect(columns.filter((column) => !csvColumns.includes(column))).toEqual([]);
    }
  });
});

describe('the OpenAPI document', () => {
  interface Described {
    readonly operationId: string;
    readonly tags: readonly string[];
    readonly parameters: readonly { readonly in: string }[];
    readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
    readonly responses: Readonly<Record<string, object>>;
  }
  interface Document {
    readonly openapi: string;
    readonly tags: readonly { readonly name: string; readonly description: string }[];
    readonly servers: readonly { readonly url: string }[];
    readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
    readonly components: { readonly schemas: Readonly<Record<string, object>> };
  }
  const document = openApiDocument(AVAILABILITY, problems.definitions) as Document;
  const described = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, one]) => ({ ...one, at: `${method.toUpperCase()} ${path}` })),
  );

  it('is valid OpenAPI 3.1, and every reference in it leads somewhere', async () => {
    expect(document.openapi).toBe('3.1.0');
    expect(await new Validator().validate(asJson(document) as Record<string, unknown>)).toEqual({ valid: true });
    for (const reference of referencesOf(document)) expect(resolve(document, reference)).toBeDefined();
  });

  it('describes every operation once, with its path parameters and its success', () => {
    const found = described.map(({ operationId, at, parameters, responses }) => ({
      id: operationId,
      at,
      inPath: parameters.filter((parameter) => parameter.in === 'path').length,
      success: Object.keys(responses).filter((status) => status.startsWith('2')),
    }));
    const expected = operations.map(([id, { http }]) => ({
      id,
      at: `${http.method} ${http.path}`,
      inPath: http.path.split('{').length - 1,
      success: [String(http.success)],
    }));
    expect(new Set(found)).toEqual(new Set(expected));
  });

  it('lists with each operation every problem code it may answer with, below its status', () => {
    for (const { operationId, responses } of described) {
      const { problems: own } = AVAILABILITY_OPERATIONS[
        operationId as keyof typeof AVAILABILITY_OPERATIONS
      ] as Operation;
      for (const code of [...own, 'auth.missing', 'auth.forbidden', 'limit.rate', 'service.unavailable', 'internal']) {
        const { status } = problems.definitions[code as keyof typeof problems.definitions];
        const response = responses[status]!;
        const text = JSON.stringify('$ref' in response ? resolve(document, String(response.$ref)) : response);
        expect([operationId, code, text.includes(`"${code}"`)]).toEqual([operationId, code, true]);
      }
    }
  });

  it('names its schemas: no body or answer is described in place', () => {
    const schemas = described.flatMap(({ requestBody, responses }) =>
      [requestBody, ...Object.entries(responses).map(([, response]) => response)].flatMap((part) =>
        Object.entries((part as { content?: Record<string, { schema: object }> } | undefined)?.content ?? {}),
      ),
    );
    const inPlace = schemas.filter(([type, { schema }]) => type === 'application/json' && !('$ref' in schema));
    expect(inPlace).toEqual([]);
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(['HoldRequest', 'Problem', 'Reservation', 'SkuPage', 'StockRow']),
    );
  });

  it('puts each operation below one tag that it explains, and says where the server is', () => {
    const tags = document.tags.map(({ name }) => name);
    for (const one of described) expect([one.at, one.tags.length]).toEqual([one.at, 1]);
    expect(new Set(described.flatMap((one) => one.tags))).toEqual(new Set(tags));
    for (const { description } of document.tags) expect(description).not.toBe('');
    expect(document.servers.map(({ url }) => url)).toEqual(['/']);
  });
});

describe('the AsyncAPI document', () => {
  interface Message {
    readonly payload: object;
    readonly headers: { readonly properties: object; readonly required: readonly string[] };
  }
  interface Document {
    readonly channels: Readonly<
      Record<string, { readonly address: string; readonly messages: Readonly<Record<string, Message>> }>
    >;
    readonly operations: Readonly<
      Record<
        string,
        {
          readonly action: string;
          readonly channel: { readonly $ref: string };
          readonly messages: readonly { readonly $ref: string }[];
          readonly security?: readonly object[];
          readonly description: string;
          readonly bindings?: { readonly nats: { readonly queue: string } };
        }
      >
    >;
    readonly components: { readonly schemas: object };
  }
  const document = asyncApiDocument(AVAILABILITY) as Document;
  const streams = new Map<string, string>([
    ...STOCK_FACTS.map(({ subject }) => [subject, STOCK_STREAM.name] as const),
    ...CATALOG_FACTS.map(({ subject }) => [subject, 'ONEPOOL_CATALOG'] as const),
    ...IDENTITY_FACTS.map(({ subject }) => [subject, 'ONEPOOL_IDENTITY'] as const),
  ]);
  let isValid: ReturnType<Ajv['compile']>;
  beforeAll(() => {
    const file = createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json');
    const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: false });
    isValid = ajv.compile(JSON.parse(readFileSync(file, 'utf8')) as AnySchema);
  });

  it('is valid AsyncAPI 3.0, and every reference in it leads somewhere', () => {
    expect(isValid({ asyncapi: '3.0.0' })).toBe(false);
    expect(isValid(asJson(document)) ? [] : isValid.errors).toEqual([]);
    for (const reference of referencesOf(document)) expect(resolve(document, reference)).toBeDefined();
    for (const { action, channel, messages } of Object.values(document.operations)) {
      expect(['send', 'receive']).toContain(action);
      for (const { $ref } of messages) expect($ref.startsWith(`${channel.$ref}/messages/`)).toBe(true);
    }
  });

  it('has a channel for every subject and every fact, and no other', () => {
    const subjects = operations.flatMap(([, { subject }]) => subject ?? []);
    const addresses = Object.values(document.channels).map(({ address }) => address);
    expect(addresses.toSorted()).toEqual([...subjects, ...streams.keys()].toSorted());
  });

  it('tells of each fact its stream and the CloudEvents headers, and of each request its key', () => {
    const channels = Object.entries(document.channels);
    for (const [id, channel] of channels) {
      const { description, security } = document.operations[id]!;
      expect([id, description]).not.toEqual([id, '']);
      const stream = streams.get(channel.address);
      if (stream !== undefined) {
        expect(channel).toMatchObject({ 'x-jetstream-stream': stream });
        expect(channel.messages['fact']!.headers.required).toEqual(
          expect.arrayContaining(['ce-id', 'ce-type', 'ce-source', 'ce-specversion', 'ce-time', 'ce-partitionkey']),
        );
      } else {
        expect(channel.messages['request']!.headers.required).toEqual(['authorization']);
        expect(channel.messages['reply']!.headers.required).toEqual(['onepool-status']);
        expect(security).toEqual([{ $ref: '#/components/securitySchemes/apiKey' }]);
      }
    }
  });

  it('names the module of each: the queue that answers a request, and the source of a fact', () => {
    const { putSkus, hold } = document.operations;
    expect([putSkus, hold].map((operation) => operation?.bindings?.nats.queue)).toEqual(['catalog', 'stock']);
    const { properties } = document.channels['skuChanged']!.messages['fact']!.headers;
    expect(properties).toMatchObject({ 'ce-source': { const: '/onepool/stock' } });
  });

  it('describes a request as one closed object of path parameters, query and body', () => {
    const { schemas } = document.components;
    const check = (id: string, payload: object): boolean => {
      const schema = { ...document.channels[id]!.messages['request']!.payload, components: { schemas } };
      return new Ajv({ strict: false, validateFormats: false }).validate(schema, payload);
    };
    expect(check('getAtp', { sku: 'a', channel: 'web', byNode: true })).toBe(true);
    expect(check('confirm', { id: 'r', commandId: 'c' })).toBe(true);
    expect(check('confirm', { id: 'r' })).toBe(false);
    expect(check('confirm', { id: 'r', commandId: 'c', x: 1 })).toBe(false);
  });
});
