import { describe, expect, it } from '@jest/globals';
import { natsTarget, resilientOptions } from './nats-options.ts';
import { NatsTrouble } from './nats-trouble.ts';

const options = (url: string, more: object = {}) => resilientOptions({ url, name: 'spec', ...more });

describe('the address', () => {
  it('keeps what is secret out of what the client shows of its servers', () => {
    expect(options('nats://u:p@a:1, nats://u:p@b')).toMatchObject({ servers: ['a:1', 'b:4222'], user: 'u', pass: 'p' });
    expect(options('nats://t@a')).toMatchObject({ servers: ['a:4222'], token: 't' });
    expect(natsTarget({ url: 'nats://u:p@a:1', name: 'spec' })).toMatchObject({ servers: 'a:1', identity: 'user u' });
    expect(natsTarget({ url: 'nats://t@a:1', name: 'spec' })).toMatchObject({ servers: 'a:1', identity: 'the token' });
  });

  it.each(['nats://[::1]:4333', 'nats://a', 'tls://a', 'a:4222'])('takes %s', (url) => {
    expect(options(url).tls !== undefined).toBe(url.startsWith('tls'));
  });

  it.each(['http://a', 'nats://', 'postgres://a', '', 'nats://u:%ZZ@a', 'nats://a,ftp://b'])('refuses %j', (url) => {
    expect(() => options(url)).toThrow(/NATS_URL is not an address/);
  });

  it('refuses settings that contradict each other, and files that are not there', () => {
    const here = import.meta.filename;
    expect(() => options('nats://u:p@a,nats://v:p@b')).toThrow(/several users/);
    expect(() => options('nats://u:p@a', { credsFile: here })).toThrow(/several kinds of credentials/);
    expect(() => options('nats://a', { certFile: here })).toThrow(/belong together/);
    expect(() => options('nats://a', { nkeyFile: here })).toThrow(/holds no seed/);
    expect(() => options('nats://a', { caFile: '/no/such.pem' })).toThrow(
      'NATS_CA_FILE names /no/such.pem, which cannot be read.',
    );
  });
});

describe('an outage', () => {
  it('is told of at once, then at growing distances of at most a minute, and when it is over', () => {
    const told: [number, string][] = [];
    let now = 0;
    const trouble = new NatsTrouble({ servers: 'a:1', identity: 'user u', encrypted: false }, ({ level }) =>
      told.push([now / 1_000, level]),
    );
    for (; now <= 200_000; now += 250) trouble.is(undefined, now);
    trouble.over(now);
    trouble.over(now + 1);
    expect(told.map(([at]) => at)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 200.25]);
    expect(told.at(-1)?.[1]).toBe('info');
    trouble.is(undefined, now);
    expect(told).toHaveLength(11);
  });
});
