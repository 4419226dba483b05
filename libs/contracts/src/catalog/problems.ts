/** Problem codes of the catalogue, besides the platform's. */
import type { ProblemDefinition } from '../shared/app-contract.ts';

export const CATALOG_PROBLEMS = {
  'sku.unknown': { status: 404, title: 'No such SKU', retryable: false },
  'node.unknown': { status: 404, title: 'No such node', retryable: false },
  'channel.unknown': { status: 404, title: 'No such channel', retryable: false },
  'import.rejected': { status: 422, title: 'The file has bad rows; nothing was applied', retryable: false },
  'import.spreadsheet': {
    status: 422,
    title: 'The file was exported for a spreadsheet, which alters it',
    retryable: false,
  },
} as const satisfies Record<string, ProblemDefinition>;
