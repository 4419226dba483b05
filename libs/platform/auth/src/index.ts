export { type MessageHandler, messageHandlersOf } from './message-handlers.ts';
export { ALL_SCOPES, type Scope, type ScopeRule, type ScopeRules, isScope } from './scopes.ts';
export { type Caller, isPrincipalId } from './caller.ts';
export { type Approval, type ApprovalRefusal, type Doer, decideApproval } from './decide-approval.ts';
export { createApiKey, sha256OfApiKey } from './api-key.ts';
export { IdentityCache, type IdentityCacheOptions } from './identity/identity-cache.ts';
export {
  type IdentitySubjects,
  NatsIdentity,
  type NatsIdentityOptions,
  type WireBeat,
} from './identity/nats-identity.ts';
export type {
  FoundIdentity,
  Grant,
  IdentityAnswer,
  IdentityBeat,
  IdentityQuestion,
  IdentitySource,
  IdentityVersion,
} from './identity/identity-source.ts';
export { Public, RequireScope, accessOf, publicRoute, scopedRoute, type Access } from './access.ts';
export {
  ACT_FOR_PEOPLE,
  Authenticator,
  type AuthenticatorOptions,
  PERSON_HEADER,
  type Verdict,
} from './authenticator.ts';
export { CurrentCaller, callerOf, carrierOf } from './current-caller.ts';
export { InFlightLimit } from './in-flight-limit.ts';
export {
  installAuth,
  judgeAgain,
  routesOf,
  type AuthOptions,
  type DeclaredRoute,
  type InstalledAuth,
} from './install-auth.ts';
export { assertEveryHandlerDeclaresScope } from './assert-every-handler-declares-scope.ts';
