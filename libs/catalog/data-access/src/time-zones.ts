/** Time zones that the platform knows, by the names of IANA and their aliases. */

const NAMES = ['UTC', ...Intl.supportedValuesOf('timeZone')];
const BY_SMALL_LETTERS = new Map(NAMES.map((name) => [name.toLowerCase(), name]));
/** Names that were asked for and are known; making a formatter is dear. */
const known = new Set(NAMES);

/** Whether it is a zone's name, spelt as IANA spells it. Distances from UTC, as `+05:00`, name no place. */
export function isTimeZone(name: string): boolean {
  if (known.has(name)) return true;
  if (!/^[A-Za-z]/.test(name) || BY_SMALL_LETTERS.has(name.toLowerCase())) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
  } catch {
    return false;
  }
  known.add(name);
  return true;
}

/** The zone that was probably meant: the nearest name, whole or of the city alone; undefined if none is near. */
export function nearestTimeZone(name: string): string | undefined {
  const asked = name.toLowerCase().replaceAll(/[ -]/g, '_');
  const farthest = Math.max(1, Math.floor(asked.length / 4));
  const nearest = NAMES.map((zone) => {
    const told = zone.toLowerCase();
    return { zone, far: Math.min(distance(asked, told), distance(asked, told.slice(told.lastIndexOf('/') + 1))) };
  }).toSorted((one, other) => one.far - other.far)[0];
  return nearest && nearest.far <= farthest ? nearest.zone : undefined;
}

/** Letters to put in, leave out or change so that one text becomes the other. */
function distance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...one].entries()) {
    const current = [row + 1];
    for (let column = 1; column <= other.length; column += 1) {
      const changed = (above[column - 1] ?? 0) + (letter === other[column - 1] ? 0 : 1);
      current.push(Math.min(changed, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[other.length] ?? 0;
}
