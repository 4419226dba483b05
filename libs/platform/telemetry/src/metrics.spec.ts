import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { createMetrics } from './metrics.ts';

describe('metrics', () => {
  it('make counters, gauges and histograms in a registry of their own', async () => {
    const [one, two] = [createMetrics(), createMetrics()];
    one.counter('holds_total', 'Holds', ['result']).inc({ result: 'granted' });
    two.counter('holds_total', 'Holds', ['result']);
    let depth = 3;
    one.gauge('queue_depth', 'Requests waiting', [], (gauge) => gauge.set(depth));
    one.histogram('batch_size', 'Requests a batch', [], [1, 512]).observe(5);
    depth = 4;
    const text = await one.registry.metrics();
    expect(text).toContain('holds_total{result="granted"} 1');
    expect(text).toContain('queue_depth 4');
    expect(text).toContain('batch_size_bucket{le="512"} 1');
    expect(await two.registry.metrics()).not.toContain('granted');
  });

  it('tell how busy the event loop was, and for how long at most it let nobody else in, since the last time', async () => {
    const { registry } = createMetrics();
    const valueOf = async (name: string): Promise<number> =>
      Number(new RegExp(`^${name} (.+)$`, 'm').exec(await registry.metrics())?.[1]);
    await registry.metrics();
    // The delay is sampled by a timer of 10 ms, which is due before these and has to have run before and after.
    await delay(50);
    const start = performance.now();
    while (performance.now() < start + 200);
    await delay(50);
    expect(await valueOf('nodejs_eventloop_lag_max_seconds')).toBeGreaterThan(0.1);
    const utilization = await valueOf('nodejs_eventloop_utilization');
    expect(utilization).toBeGreaterThan(0);
    expect(utilization).toBeLessThanOrEqual(1);
  });
});
