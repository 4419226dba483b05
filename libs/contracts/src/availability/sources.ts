/** Sources: under which names a principal tells of stock, and how what it tells is to be read. */
import { type Static, Type } from '@sinclair/typebox';
import { closed, oneOf } from '../shared/primitives.ts';
import { STAGES_OF_WORK } from './reservations.ts';
import { SourceName } from './stock.ts';

export const SourceSettings = closed({
  deductsAt: oneOf(
    STAGES_OF_WORK,
    'From which stage on its counts of availability leave out the units of a fulfilment; `shipped` counts them until they are gone.',
  ),
});
export type SourceSettings = Static<typeof SourceSettings>;

export const Source = closed({ name: SourceName, ...SourceSettings.properties });
export type Source = Static<typeof Source>;

export const SourceParam = closed({ name: SourceName });
export const SourceList = closed({ items: Type.Array(Source) });
