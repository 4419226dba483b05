import { loadConfig, runProgram } from '@onepool/platform-config';
import { type Logger, createLogger } from '@onepool/platform-telemetry';
import { startTracing } from '@onepool/platform-tracing';
import type { AppDefinition } from './app-definition.ts';
import { createApp } from './create-app.ts';
import type { KitConfig } from './kit-settings.ts';

/**
 * Starts one replica of an app and keeps it until SIGINT or SIGTERM: the whole of an app's `main.ts`.
 *
 * @example await runApp(BROKERING_APP);
 */
export async function runApp<C extends KitConfig>(definition: AppDefinition<C>): Promise<void> {
  await runProgram(async () => {
    const config = loadConfig(definition.config) as C;
    const logger = createLogger({ name: config.ONEPOOL_INSTANCE, level: config.LOG_LEVEL });
    process.on('unhandledRejection', (error) => logger.error({ err: error }, 'unhandled rejection'));

    const tracing = await startTracing(config, {
      service: definition.contract.name,
      instance: config.ONEPOOL_INSTANCE,
      onTrouble: (message) => logger.warn(message),
      onMended: (lostSpans) => logger.info({ lostSpans }, 'traces are exported again'),
    });
    const { app, close } = await createApp(definition, config, logger);
    await app.listen(config.PORT, config.HOST);
    logger.info({ port: Number(new URL(await app.getUrl()).port) }, 'ready to serve');
    closeOnSignal(() => close().finally(() => tracing.stop()), logger);
  });
}

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
