// breaks @typescript-eslint/only-throw-error
// Expected an error object to be thrown.
export function fail(): never {
  throw 'sold out';
}
