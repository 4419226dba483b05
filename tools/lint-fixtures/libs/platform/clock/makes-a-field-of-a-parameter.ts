// breaks no-restricted-syntax
// Node strips types and makes no fields of parameters: declare the field and assign it.
export class Clock {
  constructor(readonly startedMs: number) {}
}
