/** GS1 numbers (GTIN-13 and GLN): a company prefix, a serial number and a check digit, 13 digits in all. */

/** GS1 US's own example prefix: numbers under it identify nobody's goods. */
const EXAMPLE_COMPANY_PREFIX = '0614141';
const SERIAL_DIGITS = 12 - EXAMPLE_COMPANY_PREFIX.length;

/**
 * The check digit of a GS1 number given without it: from the right, digits weigh 3 and 1 in turn.
 *
 * `checkDigit('061414100001')` → `'2'`
 */
export function checkDigit(digits: string): string {
  const sum = [...digits]
    .reverse()
    .reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 3 : 1), 0);
  return String((10 - (sum % 10)) % 10);
}

/** A valid 13-digit GS1 number under the example prefix. Throws when the serial number does not fit. */
export function gs1Number(serial: number): string {
  if (!Number.isInteger(serial) || serial < 0 || serial >= 10 ** SERIAL_DIGITS) {
    throw new RangeError(`The serial number ${serial} does not fit ${SERIAL_DIGITS} digits.`);
  }
  const digits = EXAMPLE_COMPANY_PREFIX + String(serial).padStart(SERIAL_DIGITS, '0');
  return digits + checkDigit(digits);
}
