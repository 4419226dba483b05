import { describe, expect, it } from '@jest/globals';
import { createLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { RefusalLog } from './refusal-log.ts';

describe('messages that were refused', () => {
  it('are one line of the log an interval, however many they are, and all of them are in the metric', async () => {
    const lines: Record<string, unknown>[] = [];
    const logger = createLogger({
      name: 'spec',
      destination: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    });
    const metrics = createMetrics();
    const due: (() => void)[] = [];
    const log = new RefusalLog(logger, metrics, (run) => due.push(run));
    for (let message = 0; message < 5_000; message++) log.count('auth.missing');
    log.count('request.too_large');
    expect({ lines: lines.length, due: due.length }).toEqual({ lines: 0, due: 1 });
    due.shift()?.();
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        msg: 'messages refused',
        refused: { 'auth.missing': 5_000, 'request.too_large': 1 },
      }),
    ]);
    log.count('auth.missing');
    due.shift()?.();
    expect(lines[1]).toMatchObject({ refused: { 'auth.missing': 1 } });
    expect(await metrics.registry.getSingleMetricAsString('rpc_refused_total')).toContain(
      'rpc_refused_total{code="auth.missing"} 5001',
    );
  });
});
