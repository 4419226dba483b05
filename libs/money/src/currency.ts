/** Currencies and their minor units as ISO 4217 lists them, in the edition that the runtime knows. */

const KNOWN: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** Decimals of a currency's minor unit: 2 of EUR, 0 of JPY, 3 of KWD. Null of a code that is not one, or not in capitals. */
export function minorDigits(currency: string): number | null {
  if (!KNOWN.has(currency)) return null;
  const { maximumFractionDigits } = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions();
  return maximumFractionDigits ?? 2;
}
