import { type Fault, fault } from './fault.ts';

/** Those of ISO 4217 that are in use, as the platform knows them. */
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

export const unknownCurrency = (member: string, code: string | null | undefined): Fault | undefined =>
  typeof code !== 'string' || CURRENCIES.has(code)
    ? undefined
    : fault(member, 'unknown_value', `must be a currency of ISO 4217, as EUR; there is no ${code}`);
