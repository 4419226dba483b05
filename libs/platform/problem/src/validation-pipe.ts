import type { PipeTransform } from '@nestjs/common';
import type { Validator } from './validator.ts';

/**
 * Validates a controller's parameter: `@Body(bodyOf(validator))`, `@Query(bodyOf(queryValidator))`,
 * `@Payload(bodyOf(validator))`. The handler sees the typed value or is not called.
 */
export function bodyOf<T>(validator: Validator<T>): PipeTransform<unknown, T> {
  return { transform: (value) => validator.parse(value) };
}
