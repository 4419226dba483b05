/** The availability app as others see it. */
import type { AppContract } from '../shared/app-contract.ts';
import * as catalog from '../catalog/catalog.ts';
import * as catalogFacts from '../catalog/facts.ts';
import { CATALOG } from '../catalog/module.ts';
import * as snapshots from '../catalog/snapshots.ts';
import * as identity from '../identity/facts.ts';
import { IDENTITY } from '../identity/module.ts';
import * as inbound from './inbound.ts';
import * as inspections from './inspections.ts';
import * as primitives from '../shared/primitives.ts';
import { AVAILABILITY_EXAMPLES } from './examples.ts';
import * as facts from './facts.ts';
import * as feeds from './feeds.ts';
import { AVAILABILITY_OPERATIONS } from './operations.ts';
import { AVAILABILITY_PROBLEMS } from './problems.ts';
import * as reservationVerbs from './reservation-verbs.ts';
import * as reservations from './reservations.ts';
import { AVAILABILITY_SCOPES } from './scopes.ts';
import * as sources from './sources.ts';
import * as stock from './stock.ts';
import { STOCK } from './stock-module.ts';
import * as stops from './stops.ts';
import * as transfers from './transfers.ts';

export const AVAILABILITY = {
  name: 'availability',
  title: 'Onepool availability',
  description: 'Stock, reservations and what can be promised (ATP).',
  scopes: AVAILABILITY_SCOPES,
  operations: AVAILABILITY_OPERATIONS,
  examples: AVAILABILITY_EXAMPLES,
  problems: AVAILABILITY_PROBLEMS,
  modules: [CATALOG, STOCK, IDENTITY],
  consumes: [],
  schemas: [
    primitives,
    catalog,
    snapshots,
    catalogFacts,
    reservations,
    reservationVerbs,
    stock,
    stops,
    inbound,
    inspections,
    transfers,
    sources,
    feeds,
    facts,
    identity,
  ],
} as const satisfies AppContract;
