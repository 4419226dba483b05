export { LOG_LEVELS, createLogger, nestLogger } from './logger.ts';
export type { CreateLoggerOptions, LogLevel, Logger } from './logger.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export type { CheckResult, ReadinessCheck, ReadinessReport } from './readiness.ts';
export { installTelemetry, type Telemetry, type TelemetryOptions } from './install-telemetry.ts';
