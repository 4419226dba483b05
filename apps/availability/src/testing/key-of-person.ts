import { type Scope, createApiKey } from '@onepool/platform-auth';
import type { AppFixture } from './app-fixture.ts';

/** A key of a new person who has these scopes, and no limits: what only persons may do is not open to the fixture's own key. */
export async function keyOfPerson(app: AppFixture, scopes: readonly Scope[]): Promise<string> {
  const rights = { scopes, nodes: null, channels: null };
  const id = await app.identity.addPrincipal({ name: `person of ${scopes}`, kind: 'person', roles: [], ...rights });
  const { key, sha256 } = createApiKey();
  await app.identity.addKey(id, { sha256, expiresAt: null, ...rights });
  return key;
}
