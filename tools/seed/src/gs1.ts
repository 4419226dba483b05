/** GS1 numbers (GTIN-13 and GLN): a company prefix, a serial number and a check digit, 13 digits in all. */

import { gs1CheckDigit } from '@onepool/contracts';

/** GS1 US's own example prefix: numbers under it identify nobody's goods. */
const EXAMPLE_COMPANY_PREFIX = '0614141';
const SERIAL_DIGITS = 12 - EXAMPLE_COMPANY_PREFIX.length;

/** A valid 13-digit GS1 number under the example prefix. Throws when the serial number does not fit. */
export function gs1Number(serial: number): string {
  if (!Number.isInteger(serial) || serial < 0 || serial >= 10 ** SERIAL_DIGITS) {
    throw new RangeError(`The serial number ${serial} does not fit ${SERIAL_DIGITS} digits.`);
  }
  const digits = EXAMPLE_COMPANY_PREFIX + String(serial).padStart(SERIAL_DIGITS, '0');
  return digits + gs1CheckDigit(digits);
}
