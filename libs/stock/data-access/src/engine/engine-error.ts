/** Operational failures of the engine: the request was understood, and the system could not settle it in time. */
export type EngineErrorCode = 'service.overloaded' | 'service.unavailable' | 'outcome.unknown';

export class EngineError extends Error {
  override readonly name = 'EngineError';

  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
  }
}
