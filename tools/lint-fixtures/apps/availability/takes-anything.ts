// breaks @typescript-eslint/no-explicit-any
// Unexpected any. Specify a different type.
export const same = (value: any): unknown => value;
