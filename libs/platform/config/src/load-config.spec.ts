import { describe, expect, it } from '@jest/globals';
import { Type } from '@sinclair/typebox';
import fc from 'fast-check';
import { ConfigError, loadConfig } from './load-config.ts';
import { secret } from './secret.ts';

const Settings = Type.Object({
  PORT: Type.Integer({ minimum: 1, maximum: 65_535, default: 3001 }),
  DATABASE_URL: secret(Type.String({ pattern: '^postgres(ql)?://' })),
  LOG_LEVEL: Type.Union([Type.Literal('info'), Type.Literal('silent')], { default: 'info' }),
  RATIO: Type.Optional(Type.Number()),
  IS_DEMO: Type.Boolean({ default: false }),
  NATS_URLS: Type.Array(Type.String({ minLength: 1 }), { default: ['nats://localhost:3011'] }),
  LANES: Type.Optional(Type.Array(Type.Integer())),
  MODE: Type.Optional(Type.Unsafe<'a' | 'b'>(Type.String({ enum: ['a', 'b'], pattern: '^(a|b)$' }))),
});
const url = 'postgres://u:hunter2@db/x';

function problemsOf(env: Record<string, string>): ConfigError {
  try {
    loadConfig(Settings, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('accepted');
}

describe('loading a configuration', () => {
  it('reads each variable as its type', () => {
    const env = { PORT: '8080', DATABASE_URL: url, RATIO: '0.5', IS_DEMO: 'true', NATS_URLS: 'a, b,', LANES: '1,2' };
    expect(loadConfig(Settings, env)).toEqual({
      PORT: 8080,
      DATABASE_URL: url,
      LOG_LEVEL: 'info',
      RATIO: 0.5,
      IS_DEMO: true,
      NATS_URLS: ['a', 'b'],
      LANES: [1, 2],
    });
  });

  it('takes defaults for what is absent or empty, and leaves out what is optional', () => {
    expect(loadConfig(Settings, { DATABASE_URL: url, PORT: '', RATIO: '  ', UNRELATED: 'x' })).toEqual({
      PORT: 3001,
      DATABASE_URL: url,
      LOG_LEVEL: 'info',
      IS_DEMO: false,
      NATS_URLS: ['nats://localhost:3011'],
    });
  });

  it('reports every problem at once, in words, and never a secret', () => {
    const env = { PORT: '70000', LOG_LEVEL: 'loud', RATIO: 'half', IS_DEMO: 'yes', LANES: '1,x', MODE: 'c' };
    expect(problemsOf({ ...env, DATABASE_URL: 'mysql://u:hunter2@db' }).message).toBe(
      [
        'The configuration has 7 problems:',
        '  PORT          expected integer from 1 to 65535, got "70000"',
        '  DATABASE_URL  expected string matching ^postgres(ql)?://, got a secret that is not shown',
        '  LOG_LEVEL     expected one of info, silent, got "loud"',
        '  RATIO         expected number, got "half"',
        '  IS_DEMO       expected true or false, got "yes"',
        '  LANES         expected comma-separated list of integer, got "1,x"',
        '  MODE          expected one of a, b, got "c"',
      ].join('\n'),
    );
  });

  it('says what is missing', () => {
    expect(problemsOf({}).problems).toEqual([
      { name: 'DATABASE_URL', expected: 'string matching ^postgres(ql)?://', actual: 'nothing' },
    ]);
    expect(problemsOf({}).message).toContain('1 problem:');
  });

  it.each(['1e3', '0x10', '3000.5', ' ', '-1', '1_000'])('does not take %j for a port', (PORT) => {
    if (PORT.trim() === '') expect(loadConfig(Settings, { PORT, DATABASE_URL: url }).PORT).toBe(3001);
    else expect(problemsOf({ PORT, DATABASE_URL: url }).problems).toHaveLength(1);
  });

  it('reads back every integer', () => {
    const One = Type.Object({ N: Type.Integer() });
    fc.assert(
      fc.property(fc.integer(), (n) => {
        expect(loadConfig(One, { N: String(n) })).toEqual({ N: n });
      }),
    );
  });

  it('takes a schema default that is itself wrong for a problem, not for a value', () => {
    expect(() => loadConfig(Type.Object({ N: Type.Integer({ default: 'x' }) }), {})).toThrow(/N {2}expected integer/);
  });

  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(loadConfig(Settings, { DATABASE_URL: url }))).toBe(true);
  });
});
