/**
 * The check digit of a GS1 number (GTIN, GLN, SSCC) given without it: from the right, digits weigh 3 and 1 in turn.
 *
 * `gs1CheckDigit('061414100001')` → `'2'`
 */
export function gs1CheckDigit(digits: string): string {
  const sum = [...digits]
    .reverse()
    .reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 3 : 1), 0);
  return String((10 - (sum % 10)) % 10);
}
