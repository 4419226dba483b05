import { describe, expect, it } from '@jest/globals';
import type { ApiClient } from '@onepool/platform-auth';
import { UploadPlaces } from './upload-places.ts';

const client = (key: number): ApiClient => ({ key, id: `client-${key}`, scopes: new Set(), expiresAt: null });

describe('places for uploads', () => {
  it('are as many for one client, and for all of them, as is said, and can be taken again', () => {
    const places = new UploadPlaces({ uploadsMax: 3, uploadsPerClientMax: 2 });
    const leave = places.enter(client(1));
    places.enter(client(1));
    expect(() => places.enter(client(1))).toThrow(
      expect.objectContaining({ code: 'limit.rate', retryAfterSeconds: 1 }),
    );
    places.enter(client(2));
    expect(() => places.enter(client(3))).toThrow(expect.objectContaining({ code: 'limit.rate' }));
    leave();
    places.enter(client(1));
  });
});
