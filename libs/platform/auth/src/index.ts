export { type MessageHandler, messageHandlersOf } from './message-handlers.ts';
export { ALL_SCOPES, type Scope, hasScope, isScope } from './scopes.ts';
export type { ApiClient, ApiKeyStore } from './api-client.ts';
export { createApiKey, sha256OfApiKey } from './api-key.ts';
export { CachingApiKeyStore, type CachingOptions } from './caching-api-key-store.ts';
export {
  PostgresApiKeyStore,
  apiKeyRights,
  apiKeyTableSql,
  type ApiKeyRegistration,
  type ApiKeyRow,
} from './postgres-api-key-store.ts';
export { Public, RequireScope, accessOf, publicRoute, scopedRoute, type Access } from './access.ts';
export { Authenticator } from './authenticator.ts';
export { CurrentClient, carrierOf, clientOf } from './current-client.ts';
export { InFlightLimit } from './in-flight-limit.ts';
export { installAuth, routesOf, type AuthOptions, type DeclaredRoute, type InstalledAuth } from './install-auth.ts';
export { assertEveryHandlerDeclaresScope } from './assert-every-handler-declares-scope.ts';
