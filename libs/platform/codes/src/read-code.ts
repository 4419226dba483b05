/**
 * The one reader of codes: SKUs, nodes and channels as retailers name them. Any printable text is a code; two texts that
 * look the same because Unicode spells a letter in two ways are the same code.
 */

/** Code points. */
export const CODE_LENGTH_MAX = 255;
/** UTF-16 units of what may become a code: composing and trimming make it shorter. */
export const CODE_TEXT_LENGTH_MAX = 1_024;

export const CODE_EXPECTATION = 'must be printable text, without control or format characters, and neither . nor ..';

/** ASCII that is a code as it stands, unless it is `.` or `..`. */
const PLAIN = /^[!-~](?:[ -~]{0,253}[!-~])?$/;
/** Controls, formats, halves of characters, characters that are not assigned (whose form may yet change), and line ends. */
const NOT_PRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u;

/**
 * The code that a text stands for, in normal form C and without white space around it; null if it stands for none.
 *
 * @example readCode(' Stra\u00dfe 5 ') === readCode('Stra\u00dfe 5')
 */
export function readCode(text: string): string | null {
  const code = PLAIN.test(text) ? text : composed(text);
  // Every library that reads addresses takes these two for directories, encoded or not.
  return code === '.' || code === '..' ? null : code;
}

/** The same for the beginning of a code, which may be empty or end in a space. */
export function readCodePrefix(text: string): string | null {
  if (text.length > CODE_TEXT_LENGTH_MAX) return null;
  const prefix = text.normalize('NFC');
  return NOT_PRINTABLE.test(prefix) ? null : prefix;
}

/** Code points are counted only where there are more units than a code may have of them, and few enough to count. */
export const isTooLong = (text: string): boolean =>
  text.length > CODE_LENGTH_MAX && (text.length > CODE_TEXT_LENGTH_MAX || [...text].length > CODE_LENGTH_MAX);

function composed(text: string): string | null {
  if (text.length > CODE_TEXT_LENGTH_MAX) return null;
  const code = text.normalize('NFC').trim();
  return code === '' || isTooLong(code) || NOT_PRINTABLE.test(code) ? null : code;
}
