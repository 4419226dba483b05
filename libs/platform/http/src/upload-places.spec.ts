import { describe, expect, it } from '@jest/globals';
import { UploadPlaces } from './upload-places.ts';

const caller = (n: number) => ({ id: `prn_${n}` });

describe('places for uploads', () => {
  it('are as many for one caller, and for all of them, as is said, and can be taken again', () => {
    const places = new UploadPlaces({ uploadsMax: 3, uploadsPerClientMax: 2 });
    const leave = places.enter(caller(1));
    places.enter(caller(1));
    expect(() => places.enter(caller(1))).toThrow(
      expect.objectContaining({ code: 'limit.rate', retryAfterSeconds: 1 }),
    );
    places.enter(caller(2));
    expect(() => places.enter(caller(3))).toThrow(expect.objectContaining({ code: 'limit.rate' }));
    leave();
    places.enter(caller(1));
  });
});
