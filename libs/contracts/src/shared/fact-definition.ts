import type { TSchema } from '@sinclair/typebox';

export interface FactDefinition {
  /** A name for tools: `skuChanged`. */
  readonly id: string;
  /** `onepool.<scope>.<entity>.<fact>.v1`; also the type of the CloudEvent. */
  readonly subject: string;
  readonly data: TSchema;
  /** A sentence. */
  readonly summary: string;
  readonly description: string;
  readonly example?: unknown;
}
