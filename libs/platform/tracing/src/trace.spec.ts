import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { currentTrace, currentTraceparent, traceFrom, traceHeaders, traceparentOf, withTrace } from './trace.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

describe('traces', () => {
  it("continue the caller's, with a span of their own", () => {
    const trace = traceFrom({ 'x-request-id': 'order-7', traceparent: `00-${TRACE_ID}-${PARENT}-00` });
    expect(trace).toEqual({
      requestId: 'order-7',
      traceId: TRACE_ID,
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
      parentSpanId: PARENT,
      flags: '00',
      span: null,
    });
    expect(trace.spanId).not.toBe(PARENT);
    expect(traceparentOf(trace)).toBe(`00-${TRACE_ID}-${trace.spanId}-00`);
  });

  it.each([
    '',
    'nonsense',
    `00-${TRACE_ID}-${PARENT}`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
    `ff-${TRACE_ID}-${PARENT}-01`,
    `00-${TRACE_ID.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE_ID}-${PARENT}-01-more`,
  ])('begin anew when the traceparent is %j', (traceparent) => {
    const trace = traceFrom({ traceparent });
    expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(trace.traceId).not.toBe(TRACE_ID);
    expect(trace.parentSpanId).toBeUndefined();
  });

  it('accept a later version of traceparent, as the standard asks', () => {
    expect(traceFrom({ traceparent: `01-${TRACE_ID}-${PARENT}-01-more` }).traceId).toBe(TRACE_ID);
  });

  it('take only a sane request id, whatever comes', () => {
    fc.assert(
      fc.property(fc.string(), (requestId) => {
        expect(traceFrom({ 'x-request-id': requestId }).requestId).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
      }),
    );
    expect(traceFrom({ 'x-request-id': 'x'.repeat(65) }).requestId).toHaveLength(32);
    expect(traceFrom({ 'x-request-id': ['a', 'b'] }).requestId).toHaveLength(32);
    expect(traceFrom(undefined).requestId).not.toBe(traceFrom(undefined).requestId);
  });

  it('cross from one service to another by headers', async () => {
    const first = traceFrom(undefined);
    const headers = withTrace(first, () => new Map(Object.entries(traceHeaders())));
    await withTrace(traceFrom(headers), async () => {
      await Promise.resolve();
      expect(currentTrace()).toMatchObject({
        requestId: first.requestId,
        traceId: first.traceId,
        parentSpanId: first.spanId,
      });
    });
    expect(currentTrace()).toBeUndefined();
    expect([currentTraceparent(), traceHeaders()]).toEqual([null, {}]);
  });
});
