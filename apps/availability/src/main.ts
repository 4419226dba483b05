/** Starts one replica of the availability app. */
import { loadConfig, runProgram } from '@onepool/platform-config';
import { type Logger, createLogger } from '@onepool/platform-telemetry';
import { startTracing } from '@onepool/platform-tracing';
import { createAvailabilityApp } from './availability-app.ts';
import { AvailabilityConfig } from './config.ts';

await runProgram(async () => {
  const config = loadConfig(AvailabilityConfig);
  const logger = createLogger({ name: config.ONEPOOL_INSTANCE, level: config.LOG_LEVEL });
  process.on('unhandledRejection', (error) => logger.error({ err: error }, 'unhandled rejection'));

  const tracing = await startTracing(config, {
    service: 'availability',
    instance: config.ONEPOOL_INSTANCE,
    onTrouble: (message) => logger.warn(message),
    onMended: (lostSpans) => logger.info({ lostSpans }, 'traces are exported again'),
  });
  const { app, close } = await createAvailabilityApp(config, logger);
  await app.listen(config.PORT, config.HOST);
  logger.info({ port: config.PORT }, 'ready to serve');
  closeOnSignal(() => close().finally(() => tracing.stop()), logger);
});

function closeOnSignal(close: () => Promise<void>, logger: Logger): void {
  let closing = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (closing) return;
      closing = true;
      logger.info({ signal }, 'shutting down');
      void close().then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error({ err: error }, 'shutdown failed');
          process.exit(1);
        },
      );
    });
  }
}
