import { describe, expect, it } from '@jest/globals';
import { InFlightLimit } from './in-flight-limit.ts';

const client = (key: number) => ({ key, id: `c${key}`, scopes: new Set<string>(), expiresAt: null });

describe('the limit of requests in flight', () => {
  it('admits exactly as many as it says, of each client apart, and again when one is done', () => {
    const limit = new InFlightLimit(2);
    const leave = limit.enter(client(1));
    limit.enter(client(1));
    expect(limit.enter(client(1))).toBeNull();
    limit.enter(client(2));
    leave?.();
    limit.enter(client(1));
    expect(limit.enter(client(1))).toBeNull();
    expect(limit.full).toMatchObject({ code: 'limit.rate', status: 429 });
  });
});
