/**
 * Every app. The permissions of every NATS user are generated from this list, so a subject that no contract has can be
 * neither served nor published.
 */
import type { AppContract } from './shared/app-contract.ts';
import { AVAILABILITY } from './availability/contract.ts';

export const APPS: readonly AppContract[] = [AVAILABILITY];

/** Requests to any app. */
export const ALL_REQUESTS = 'onepool.rpc.>';
/** What apps ask of each other, and tell each other, and nobody else. */
export const INTERNAL_REQUESTS = 'onepool.internal.>';
export const INTERNAL_BROADCASTS = 'onepool.beat.>';

/**
 * The JetStream domain by which other teams' services reach the facts: they are kept in an account of their own, and see
 * of JetStream only their own durable consumer, under this name.
 */
export const GUEST_DOMAIN = 'onepool';
