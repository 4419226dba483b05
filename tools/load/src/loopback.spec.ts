import { describe, expect, it } from '@jest/globals';
import { requireLoopback } from './loopback.ts';

describe('requireLoopback', () => {
  it.each(['http://127.0.0.1:3001', 'http://127.3.2.1', 'http://localhost:80', 'http://[::1]:3001'])(
    'allows %s',
    (url) => {
      expect(() => requireLoopback([url])).not.toThrow();
    },
  );

  it.each(['http://10.0.0.7:3001', 'https://shop.example', 'http://127.0.0.1.example:80', 'http://localhost.example'])(
    'refuses %s, also behind an allowed one',
    (url) => {
      expect(() => requireLoopback(['http://127.0.0.1:3001', url])).toThrow('loopback addresses only');
    },
  );
});
