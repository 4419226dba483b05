/**
 * Exports traces to an OpenTelemetry collector, where the environment asks for it by OpenTelemetry's own variables. The SDK
 * is loaded only then, for it costs some 20 MB and some tenths of a second.
 */
import { setTimeout } from 'node:timers/promises';
import { DiagLogLevel, context, diag, propagation, trace as openTelemetry } from '@opentelemetry/api';
import { OperatorError } from '@onepool/platform-config';
import { type Static, type TObject, Type } from '@sinclair/typebox';
import { makeSpansWith } from './span.ts';
import { type ExportHooks, ReportingExporter } from './reporting-exporter.ts';
import { Throttle } from './throttle.ts';

/** For an app's settings. The exporter, the sampler and the queue read the other standard variables by themselves. */
export const TRACING_SETTINGS = {
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(
    Type.String({
      pattern: '^https?://',
      description: 'OpenTelemetry collector that traces are sent to, `http://host:4318`; none are without it.',
    }),
  ),
  OTEL_TRACES_EXPORTER: Type.Optional(
    Type.Union([Type.Literal('otlp'), Type.Literal('none')], {
      description:
        '`none` sends no traces after all; `otlp` sends them without an endpoint, to `http://localhost:4318`.',
    }),
  ),
};
export type TracingSettings = Static<TObject<typeof TRACING_SETTINGS>>;

export interface TracingOptions extends ExportHooks {
  /** `service.name`, unless `OTEL_SERVICE_NAME` says otherwise. */
  readonly service: string;
  /** `service.instance.id`: the name of this replica. */
  readonly instance: string;
  /** How long `stop` may take, in milliseconds; 3,000 unless told. */
  readonly stopWithinMs?: number;
}

export interface Tracing {
  /** Sends what is still queued, as far as there is time for it. */
  stop(): Promise<void>;
}

/** What OpenTelemetry itself has to say, such as a sampler that it does not know. */
const SDK_LINES_PER_MINUTE = 5;
const STOP_WITHIN_MS = 3_000;

/**
 * Begins to make spans and to export them, for the whole process. Does nothing unless the settings ask for it.
 *
 * @throws OperatorError where the environment asks for a protocol that is not spoken.
 */
export async function startTracing(settings: TracingSettings, options: TracingOptions): Promise<Tracing> {
  if (!isAskedFor(settings)) return { stop: () => Promise.resolve() };
  refuseOtherProtocols(process.env);
  const throttle = new Throttle(SDK_LINES_PER_MINUTE);
  const tell = (message: string): void => void (throttle.allows() && options.onTrouble(message));
  const silent = (): void => undefined;
  const logger = { error: tell, warn: tell, info: silent, debug: silent, verbose: silent };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const provider = await createProvider(options);
  provider.register();
  makeSpansWith(openTelemetry.getTracer('onepool'));
  return {
    stop: async () => {
      makeSpansWith(null);
      // A collector that does not answer holds no shutdown up, and one that refuses makes none fail.
      const sent = provider.shutdown().catch(silent);
      await Promise.race([sent, setTimeout(options.stopWithinMs ?? STOP_WITHIN_MS, undefined, { ref: false })]);
      for (const api of [openTelemetry, context, propagation, diag]) api.disable();
    },
  };
}

function isAskedFor({ OTEL_TRACES_EXPORTER, OTEL_EXPORTER_OTLP_ENDPOINT }: TracingSettings): boolean {
  if (OTEL_TRACES_EXPORTER !== undefined) return OTEL_TRACES_EXPORTER === 'otlp';
  return OTEL_EXPORTER_OTLP_ENDPOINT !== undefined;
}

function refuseOtherProtocols(environment: NodeJS.ProcessEnv): void {
  for (const name of ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL']) {
    const protocol = environment[name]?.trim() ?? '';
    if (protocol === '' || protocol.startsWith('http/')) continue;
    throw new OperatorError(
      `${name} is ${protocol}, but traces are sent by http/json only. Give the collector’s HTTP port (usually 4318) and ` +
        `${name}=http/json, or OTEL_TRACES_EXPORTER=none to send none.`,
    );
  }
}

async function createProvider({ service, instance, ...hooks }: TracingOptions) {
  const [sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const ours = { 'service.name': service, 'service.namespace': 'onepool', 'service.instance.id': instance };
  const resource = resources
    .defaultResource()
    .merge(resources.resourceFromAttributes(ours))
    .merge(resources.detectResources({ detectors: [resources.envDetector] }));
  const exporter = new ReportingExporter(new OTLPTraceExporter(), hooks);
  return new sdk.NodeTracerProvider({ resource, spanProcessors: [new sdk.BatchSpanProcessor(exporter)] });
}
