import { readTime } from '@onepool/platform-clock';
import type { NodeEntity } from '../entities.ts';
import type { Draft } from '../draft.ts';
import { isTimeZone, nearestTimeZone } from '../time-zones.ts';
import { type Fault, type RowCheck, checkDigit, fault, repeated } from './fault.ts';

export const NODE_CHECKS: readonly RowCheck<NodeEntity>[] = [
  { members: ['gln'], fault: ({ gln }) => checkDigit('gln', gln) },
  { members: ['timeZone'], fault: ({ timeZone = '' }) => (isTimeZone(timeZone) ? undefined : noSuchZone(timeZone)) },
  { members: ['lat', 'lng'], fault: ({ lat, lng }) => halfAPlace(lat ?? null, lng ?? null) },
  { members: ['activeFrom', 'activeTo'], fault: ({ activeFrom, activeTo }) => emptyWindow(activeFrom, activeTo) },
  { members: ['openingHours'], fault: unsoundHours },
  { members: ['holidays'], fault: unsoundHoliday },
  {
    members: ['cutOffs'],
    fault: ({ cutOffs }) =>
      repeated('cutOffs', cutOffs ?? [], ({ day, fulfilmentType = '' }) => `${day} ${fulfilmentType}`),
  },
  {
    members: ['carrierServices'],
    fault: ({ carrierServices }) =>
      repeated('carrierServices', carrierServices ?? [], ({ carrier, service }) => JSON.stringify([carrier, service])),
  },
];

const noSuchZone = (name: string): Fault => ({
  member: 'timeZone',
  code: 'unknown_value',
  message: () => {
    const nearest = nearestTimeZone(name);
    return `must be the name of a time zone, as Europe/Berlin${nearest ? `; the nearest to this is ${nearest}` : ''}`;
  },
});

function halfAPlace(lat: number | null, lng: number | null): Fault | undefined {
  if ((lat === null) === (lng === null)) return undefined;
  const [member, other] = lat === null ? ['lat', 'lng'] : ['lng', 'lat'];
  return fault(member, 'missing', `a place has both: ${other} is told and ${member} is not`);
}

function emptyWindow(from: Date | null | undefined, to: Date | null | undefined): Fault | undefined {
  if (!from || !to || from < to) return undefined;
  return fault('activeTo', 'out_of_range', `must be after activeFrom, which is ${from.toISOString()}`);
}

/** Times of day compare as text. */
const closesEarly = (member: string, opens: string, closes: string): Fault | undefined =>
  opens < closes ? undefined : fault(member, 'out_of_range', `must be after opens, which is ${opens}`);

function unsoundHours({ openingHours }: Draft<NodeEntity>): Fault | undefined {
  const hours = (openingHours ?? []).map((one, index) => ({ ...one, index }));
  for (const { opens, closes, index } of hours) {
    const early = closesEarly(`openingHours/${index}/closes`, opens, closes);
    if (early) return early;
    const overlapped = hours.find(
      (other) => other.index < index && other.day === hours[index]?.day && opens < other.closes && other.opens < closes,
    );
    if (overlapped) {
      const words = `overlaps openingHours/${overlapped.index}, ${overlapped.opens} to ${overlapped.closes}`;
      return fault(`openingHours/${index}`, 'overlap', words);
    }
  }
  return undefined;
}

function unsoundHoliday({ holidays }: Draft<NodeEntity>): Fault | undefined {
  for (const [index, { date, opens, closes }] of (holidays ?? []).entries()) {
    const at = `holidays/${index}`;
    if (!isDate(date)) return fault(`${at}/date`, 'unknown_value', `there is no day ${date}`);
    if ((opens === undefined) !== (closes === undefined)) {
      return fault(at, 'missing', 'hours have both: opens and closes, or neither where it is closed');
    }
    const early = opens !== undefined && closes !== undefined ? closesEarly(`${at}/closes`, opens, closes) : undefined;
    if (early) return early;
  }
  return repeated('holidays', holidays ?? [], ({ date }) => date);
}

const isDate = (text: string): boolean => readTime(`${text}T00:00:00Z`) !== null;
