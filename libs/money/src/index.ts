export { type Amounts, NO_AMOUNTS, add, divide, isZero, subtract, total } from './amounts.ts';
export { minorDigits } from './currency.ts';
export { share } from './share.ts';
