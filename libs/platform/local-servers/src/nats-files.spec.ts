import { describe, expect, it } from '@jest/globals';
import { renderNatsConfig } from './nats-config.ts';
import { parseNatsGreeting } from './nats-greeting.ts';
import { compareVersions, isAtLeast, parseNatsVersion } from './nats-version.ts';

describe('versions', () => {
  it.each([
    ['2.9.10', '2.10.0', -1],
    ['2.10.0', '2.10.0', 0],
    ['2.11.0', '2.10.22', 1],
    ['3.0.0', '2.99.99', 1],
  ])('orders %s against %s by number, not by letter', (a, b, sign) => {
    expect(Math.sign(compareVersions(a, b))).toBe(sign);
    expect(isAtLeast(a, b)).toBe(sign >= 0);
  });

  it('reads a version only from the line that nats-server prints', () => {
    expect(parseNatsVersion('nats-server: v2.11.17\n')).toBe('2.11.17');
    expect(parseNatsVersion('gnatsd version 1.4')).toBeUndefined();
  });
});

describe('the configuration file', () => {
  const config = { port: 3011, store: '/h/nats/jetstream', pidFile: '/h/nats/nats.pid', syncInterval: '10s' };

  it('listens on the loopback interface only', () => {
    expect(renderNatsConfig({ ...config, version: '2.11.17' })).toContain('listen: "127.0.0.1:3011"');
  });

  it('names the sync interval only to a server that knows it', () => {
    expect(renderNatsConfig({ ...config, version: '2.11.17' })).toContain('sync_interval: "10s"');
    expect(renderNatsConfig({ ...config, version: '2.9.10' })).not.toContain('sync_interval');
  });
});

describe('the greeting', () => {
  it('is read when whole', () => {
    const text = 'INFO {"server_name":"onepool-3011","version":"2.9.10","jetstream":true} \r\n';
    expect(parseNatsGreeting(text)).toEqual({ serverName: 'onepool-3011', version: '2.9.10', jetstream: true });
  });

  it.each(['', 'INFO {"server_name":"onepool-', 'HTTP/1.1 400 Bad Request\r\n'])('is not read from %j', (text) => {
    expect(parseNatsGreeting(text)).toBeUndefined();
  });
});
