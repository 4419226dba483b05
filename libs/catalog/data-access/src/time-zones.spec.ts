import { describe, expect, it } from '@jest/globals';
import { isTimeZone, nearestTimeZone } from './time-zones.ts';

describe('a time zone', () => {
  it.each([
    'UTC',
    'Europe/Berlin',
    'America/Argentina/Buenos_Aires',
    'Asia/Kolkata',
    'Asia/Calcutta',
    'Europe/Kyiv',
    'US/Pacific',
  ])('is %s, by name or by alias', (name) => expect(isTimeZone(name)).toBe(true));

  it.each(['Europe/Belin', 'Berlin', 'europe/berlin', 'utc', '+05:00', '+0500', '-3', '', 'Mars/Olympus'])(
    'is not %j',
    (name) => expect(isTimeZone(name)).toBe(false),
  );

  it.each([
    ['Europe/Belin', 'Europe/Berlin'],
    ['europe/berlin', 'Europe/Berlin'],
    ['Berlin', 'Europe/Berlin'],
    ['new york', 'America/New_York'],
    ['Amercia/Chicago', 'America/Chicago'],
    ['utc', 'UTC'],
  ])('that is told as %s is nearest to %s', (name, nearest) => expect(nearestTimeZone(name)).toBe(nearest));

  it('has none near where nothing is like it', () => expect(nearestTimeZone('Mars/Olympus_Mons')).toBeUndefined());
});
