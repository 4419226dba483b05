/**
 * A program for specs: prints, as JSON, which packages of OpenTelemetry a process has loaded in which an app was started and worked without
 * traces, and which of them once traces are asked for.
 */
import { createRequire } from 'node:module';
import { startTracing } from '@onepool/platform-tracing';
import { createAppFixture } from './app-fixture.ts';

const loadedParts = (): string[] => {
  const paths = Object.keys(createRequire(import.meta.url).cache);
  const names = paths.flatMap((path) => /@opentelemetry\/([\w-]+)/.exec(path)?.[1] ?? []);
  return [...new Set(names)];
};

const options = { service: 'availability', instance: 'spec', stopWithinMs: 1_000, onTrouble: () => undefined };
const off = await startTracing({}, options);
const app = await createAppFixture();
const { status } = await app.fetch('PUT', '/v1/skus', { body: { skus: [{ sku: 'a' }] } });
if (status !== 200) throw new Error(`The app has answered ${status}.`);
await app.close();
await off.stop();
const untraced = loadedParts();
const on = await startTracing({ OTEL_TRACES_EXPORTER: 'otlp' }, options);
const traced = loadedParts();
await on.stop();
// The servers that specs share go on, and would keep this program with them.
process.stdout.write(`${JSON.stringify({ untraced, traced })}\n`, () => process.exit());
