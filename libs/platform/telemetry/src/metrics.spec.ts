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
});
