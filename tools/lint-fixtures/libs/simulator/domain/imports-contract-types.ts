// breaks @nx/enforce-module-boundaries
// A project tagged with "type:domain" can only depend on libs tagged with "type:domain"
import type { Static } from '@onepool/contracts';

export type Copied = Static;
