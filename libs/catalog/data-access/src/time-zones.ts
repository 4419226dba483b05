/** Time zones that the platform knows, by the names of IANA and their aliases. */

const NAMES = ['UTC', ...Intl.supportedValuesOf('timeZone')];
const BY_SMALL_LETTERS = new Map(NAMES.map((name) => [name.toLowerCase(), name]));
const SPELLINGS = NAMES.map((zone) => {
  const whole = zone.toLowerCase();
  return { zone, whole, city: whole.slice(whole.lastIndexOf('/') + 1) };
});
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
  const letters = [...asked];
  let nearest: string | undefined;
  let farthest = Math.max(1, Math.floor(asked.length / 4));
  for (const { zone, whole, city } of SPELLINGS) {
    const far = Math.min(distance(letters, whole, farthest), distance(letters, city, farthest));
    if (far > farthest) continue;
    nearest = zone;
    // Of names that are as near the first is meant.
    farthest = far - 1;
  }
  return nearest;
}

/**
 * Letters to put in, leave out or change so that one text becomes the other; infinite where they are more than `most`, which
 * shows early, and hundreds of names are looked at for a name that is wrong.
 */
function distance(one: readonly string[], other: string, most: number): number {
  if (Math.abs(one.length - other.length) > most) return Infinity;
  let above = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [row, letter] of one.entries()) {
    const current = [row + 1];
    let least = row + 1;
    for (let column = 1; column <= other.length; column += 1) {
      const changed = (above[column - 1] ?? 0) + (letter === other[column - 1] ? 0 : 1);
      const here = Math.min(changed, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      current.push(here);
      least = Math.min(least, here);
    }
    if (least > most) return Infinity;
    above = current;
  }
  return above[other.length] ?? 0;
}
