import { describe, expect, it } from '@jest/globals';
import { duration, renderStatus } from './render-status.ts';
import { exitCodeOf, processStatus } from './system-status.ts';
import type { SystemStatus } from './system-status.ts';

const ready = { isHealthy: true, text: 'ready' };
const system: SystemStatus = {
  isRunning: true,
  isHealthy: true,
  onepool: '0.1.0 (abc1234)',
  node: 'v24.0.0',
  home: '/h',
  apiKeyFile: '/h/dev-api-key',
  logs: '/h/logs',
  urls: { availability: ['http://127.0.0.1:3001'] },
  processes: [
    processStatus('availability-1', { pid: 7, port: 3001, restarts: 2 }, { upSeconds: 90, memoryMb: 130 }, ready),
    processStatus('postgres', {}, undefined, { ...ready, version: '18.4' }),
  ],
  relay: { backlogFacts: 3, lagSeconds: 0.25 },
};

describe('the status', () => {
  it('shows of each process where it is, how long, how often again, how large, and how it is', () => {
    const text = renderStatus(system);
    expect(text).toMatch(/availability-1 .* 7 .* 3001 .* 1 min .* 2 .* 130 .* ready/);
    expect(text).toMatch(/postgres .* 18\.4 .* ready/);
    for (const fact of [
      '0.1.0 (abc1234)',
      'v24.0.0',
      '3 facts wait, the oldest for 0.3 s',
      '/h/dev-api-key',
      '/h/logs',
    ])
      expect(text).toContain(fact);
  });

  it('says of a recorded process that is gone that it does not run, whatever answers at its port', () => {
    expect(processStatus('nats', { pid: 7, port: 3011 }, undefined, ready)).toMatchObject({
      isHealthy: false,
      text: 'not running',
    });
  });

  it.each([
    [0, 'everything is healthy', system],
    [1, 'something is not', { ...system, isHealthy: false }],
    [3, 'nothing runs', { ...system, isRunning: false, isHealthy: false }],
  ])('ends with %d when %s', (code, _when, status) => {
    expect(exitCodeOf(status)).toBe(code);
  });

  it('says how to start what does not run', () => {
    expect(renderStatus({ ...system, isRunning: false })).toBe('Nothing runs on /h; `npm start` starts it.');
  });

  it.each([
    [59, '59 s'],
    [60, '1 min'],
    [3_599, '59 min'],
    [7_320, '2 h 2 min'],
    [90_000, '1 d 1 h'],
  ])('tells %d seconds as %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});
