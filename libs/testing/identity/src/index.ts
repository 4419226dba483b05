export { FixedIdentity, type FixedPrincipal } from './fixed-identity.ts';
