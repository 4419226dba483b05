import { describe, expect, it } from '@jest/globals';
import { traceFrom, withTrace } from '@onepool/platform-tracing';
import { createLogger, nestLogger } from './logger.ts';

const KEY = 'opk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

function setUp(level: 'info' | 'silent' | 'trace' = 'info') {
  const lines: string[] = [];
  const logger = createLogger({ name: 'spec', level, destination: { write: (line) => void lines.push(line) } });
  const last = (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown>;
  return { logger, lines, last };
}

describe('the log', () => {
  it('is one JSON object a line, with level and time in words', () => {
    const { logger, last, lines } = setUp();
    logger.info({ sku: 'A' }, 'moved');
    expect(last()).toMatchObject({ level: 'info', name: 'spec', sku: 'A', msg: 'moved' });
    expect(last()['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
  });

  it('carries the ids of the request it belongs to', () => {
    const { logger, last } = setUp();
    const trace = traceFrom({ 'x-request-id': 'r-1' });
    withTrace(trace, () => logger.info('in'));
    expect(last()).toMatchObject({ request_id: 'r-1', trace_id: trace.traceId, span_id: trace.spanId });
    logger.info('out');
    expect(last()).not.toHaveProperty('request_id');
  });

  it('never shows a key, a cookie or a password, wherever it is', () => {
    const { logger, lines } = setUp();
    const secret = 'hunter2';
    logger.info({ headers: { Authorization: secret, cookie: secret, 'set-cookie': secret } }, 'a');
    logger.info({ a: { b: { password: secret } }, apiKey: secret, token: secret }, 'b');
    logger.info({ err: Object.assign(new Error('x'), { config: { authorization: secret } }) }, 'c');
    logger.child({ authorization: secret }).info('d');
    logger.info({ text: `Bearer ${KEY}` }, `failed with ${KEY}`);
    logger.error(new Error(`no client for ${KEY}`));
    expect(lines).toHaveLength(6);
    expect(lines.join('')).not.toContain(secret);
    expect(lines.join('')).not.toContain(KEY);
    expect(lines.join('')).toContain('opk_[redacted]');
  });

  it("does not change the caller's objects while redacting", () => {
    const { logger } = setUp();
    const fields = { headers: { authorization: 'x', accept: 'y' } };
    logger.info(fields);
    expect(fields.headers.authorization).toBe('x');
  });

  it('can be silent', () => {
    const { logger, lines } = setUp('silent');
    logger.fatal('nothing');
    expect(lines).toEqual([]);
  });

  it("takes Nest's messages, errors with their stack", () => {
    const { logger, last } = setUp('trace');
    const nest = nestLogger(logger);
    nest.log('started', 'NestFactory');
    expect(last()).toMatchObject({ level: 'debug', context: 'NestFactory', msg: 'started' });
    nest.error(new Error('boom'), 'Filter');
    expect(last()).toMatchObject({ level: 'error', context: 'Filter', err: { message: 'boom' } });
  });
});
