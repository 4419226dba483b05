/** A collector for specs: takes OTLP as JSON over HTTP, as `POST /v1/traces`, and keeps the spans. */
import assert from 'node:assert/strict';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface ReceivedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first span of a trace. */
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Span ids. */
  readonly links: readonly string[];
  readonly isFailed: boolean;
  /** The attributes of the process that sent it. */
  readonly resource: Readonly<Record<string, unknown>>;
}

/** Source: opentelemetry-proto, trace.proto, in the JSON mapping of OTLP. */
interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}
interface Batch {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<ReceivedSpan, 'attributes' | 'links' | 'parentSpanId'> & {
        readonly parentSpanId?: string;
        readonly attributes?: readonly Attribute[];
        readonly links?: readonly { readonly spanId: string }[];
        readonly status?: { readonly code?: number };
      })[];
    }[];
  }[];
}

const STATUS_ERROR = 2;

export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  /** Whether batches are refused for good, so that their spans are lost. */
  isRefusing = false;
  refusedBatches = 0;
  readonly #server: Server;
  #port = 0;
  #held: (() => void)[] | null = null;

  constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  /** `http://127.0.0.1:port`; nobody listens there before {@link start} and after {@link stop}. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** How many batches have come and are not answered. */
  get heldBatches(): number {
    return this.#held?.length ?? 0;
  }

  /** From now on nothing is answered, until {@link release}. */
  hold(): void {
    this.#held = [];
  }

  /** Answers what was held back, and whatever comes. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const answer of held) answer();
  }

  async stop(): Promise<void> {
    this.#held = null;
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    assert.equal(request.url, '/v1/traces');
    const batch = (await json(request)) as Batch;
    if (this.isRefusing) {
      this.refusedBatches += 1;
      response.writeHead(400).end();
      return;
    }
    const answer = (): void => {
      this.spans.push(...spansOf(batch));
      response.setHeader('content-type', 'application/json').end('{}');
    };
    if (this.#held === null) answer();
    else this.#held.push(answer);
  }
}

const spansOf = ({ resourceSpans }: Batch): ReceivedSpan[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ name, kind, traceId, spanId, parentSpanId = '', attributes = [], links = [], status }) => ({
        name,
        kind,
        traceId,
        spanId,
        parentSpanId,
        attributes: recordOf(attributes),
        links: links.map((link) => link.spanId),
        isFailed: status?.code === STATUS_ERROR,
        resource: recordOf(resource.attributes),
      })),
    ),
  );

const recordOf = (attributes: readonly Attribute[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
