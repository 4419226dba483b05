import { type Clock, systemClock } from '@onepool/platform-clock';
import { ProblemError, problem } from '@onepool/platform-problem';
import { type Rights, narrow } from '@onepool/platform-rights';
import type { Access } from './access.ts';
import { apiKeyFromHeader, sha256OfApiKey } from './api-key.ts';
import { type Caller, isPrincipalId } from './caller.ts';
import type { IdentityCache } from './identity/identity-cache.ts';
import type { FoundIdentity, Grant } from './identity/identity-source.ts';
import { type Scope, type ScopeRules, heldScopes } from './scopes.ts';

/** What a request or message says of who sends it. */
export interface Credentials {
  /** The header `authorization`. */
  readonly authorization: string | undefined;
  /** The header `onepool-person`: on whose behalf a service calls. */
  readonly person: string | undefined;
}

/** The caller that may call, null where anybody may, or the refusal. */
export type Verdict = Caller | ProblemError | null;

/** Whoever holds it may name the person on whose behalf it calls. */
export const ACT_FOR_PEOPLE: Scope = 'people:act';
export const PERSON_HEADER = 'onepool-person';

const forbidden = (detail: string): ProblemError => problem('auth.forbidden', { detail });

/** Made once, for whoever tries without a key may try often: an error with its stack costs more than all that led to it. */
const refusals = {
  missing: problem('auth.missing'),
  invalid: problem('auth.invalid'),
  expired: problem('auth.expired'),
  nobody: forbidden('Nobody is allowed to call this.'),
  mayNotAct: forbidden(`The scope ${ACT_FOR_PEOPLE} is required to name a person in ${PERSON_HEADER}.`),
  noPerson: forbidden(`The person that ${PERSON_HEADER} names is unknown or disabled.`),
  human: forbidden(`Only a person may do this: use a person's key, or name the person in ${PERSON_HEADER}.`),
};

/** As many as handlers ask for. */
const lacking = new Map<Scope, ProblemError>();

function refusalWithout(scope: Scope): ProblemError {
  const made = lacking.get(scope) ?? forbidden(`The scope ${scope} is required.`);
  lacking.set(scope, made);
  return made;
}

export interface AuthenticatorOptions {
  readonly identity: IdentityCache;
  /** The scopes of the app's contract. */
  readonly scopes: ScopeRules;
  readonly clock?: Clock;
}

/**
 * Decides whether a caller may use a handler, from what it says of itself and the handler's declaration.
 *
 * Precedence: no declaration → `auth.forbidden`; no header → `auth.missing`; not a key, unknown or revoked →
 * `auth.invalid`; over → `auth.expired`; a person that it may not act for, scope not held, no person where one is needed →
 * `auth.forbidden`; nobody to ask → `identity.unavailable`.
 */
export class Authenticator {
  readonly #identity: IdentityCache;
  readonly #scopes: ScopeRules;
  readonly #clock: Clock;
  /** By identity, and by that of the person: they are replaced whenever they change. */
  readonly #callers = new WeakMap<FoundIdentity, Caller>();
  readonly #actors = new WeakMap<FoundIdentity, WeakMap<FoundIdentity, Caller>>();

  constructor({ identity, scopes, clock = systemClock }: AuthenticatorOptions) {
    this.#identity = identity;
    this.#scopes = scopes;
    this.#clock = clock;
  }

  /** The refusal of a call that needs no look-up to be refused, or undefined. */
  glance(access: Access | undefined, { authorization }: Credentials): ProblemError | undefined {
    if (!access) return refusals.nobody;
    if ('public' in access) return undefined;
    if (authorization === undefined || authorization === '') return refusals.missing;
    return apiKeyFromHeader(authorization) === undefined ? refusals.invalid : undefined;
  }

  /**
   * The caller, null for a public handler, or the refusal: at once when key and person are remembered, as nearly always, or
   * as a promise, which never rejects.
   */
  judge(access: Access | undefined, credentials: Credentials): Verdict | Promise<Verdict> {
    const refusal = this.glance(access, credentials);
    if (refusal) return refusal;
    if (!access || 'public' in access) return null;
    const { authorization = '', person } = credentials;
    const sha256 = sha256OfApiKey(apiKeyFromHeader(authorization) ?? '');
    const remembered = this.#identity.peek({ sha256 });
    if (remembered !== undefined && person === undefined) return this.#decide(remembered, access);
    return this.#look(sha256, person, access).catch((cause: unknown) =>
      cause instanceof ProblemError ? cause : problem('identity.unavailable', { cause }),
    );
  }

  /** Whether a caller who was let in may use a handler. */
  check(caller: Caller | null, access: Access | undefined): Caller | ProblemError | null {
    if (!access) return refusals.nobody;
    if ('public' in access) return caller;
    if (!caller) return refusals.invalid;
    if (caller.expiresAt && caller.expiresAt <= this.#clock.now()) return refusals.expired;
    if (!caller.scopes.has(access.scope)) return refusalWithout(access.scope);
    return this.#scopes[access.scope]?.human && caller.person === null ? refusals.human : caller;
  }

  async #look(sha256: string, person: string | undefined, access: Access): Promise<Verdict> {
    const key = await this.#identity.find({ sha256 });
    if (!key || person === undefined) return this.#decide(key, access);
    if (!key.grants.every(({ scopes }) => scopes.includes(ACT_FOR_PEOPLE))) return refusals.mayNotAct;
    const named = isPrincipalId(person) ? await this.#identity.find({ person }) : null;
    return named?.kind === 'person' ? this.check(this.#actorOf(key, named), access) : refusals.noPerson;
  }

  #decide(key: FoundIdentity | null, access: Access): Verdict {
    return key ? this.check(this.#callerOf(key), access) : refusals.invalid;
  }

  #callerOf(key: FoundIdentity): Caller {
    const known = this.#callers.get(key);
    if (known) return known;
    const { principal: id, kind, expiresAt } = key;
    const made = { id, kind, person: kind === 'person' ? id : null, expiresAt, ...this.#rightsOf(key) };
    this.#callers.set(key, made);
    return made;
  }

  /** A service on behalf of a person: never more than either. */
  #actorOf(key: FoundIdentity, person: FoundIdentity): Caller {
    const actors = this.#actors.get(key) ?? new WeakMap<FoundIdentity, Caller>();
    this.#actors.set(key, actors);
    const known = actors.get(person);
    if (known) return known;
    const rights = narrow(this.#rightsOf(key), this.#rightsOf(person));
    const made = { ...this.#callerOf(key), ...rights, person: person.principal };
    actors.set(person, made);
    return made;
  }

  #rightsOf({ grants: [first, ...others] }: FoundIdentity): Rights {
    return others.reduce((rights, grant) => narrow(rights, this.#given(grant)), this.#given(first));
  }

  #given({ scopes, nodes, channels }: Grant): Rights {
    return {
      scopes: heldScopes(scopes, this.#scopes),
      nodes: nodes === null ? 'all' : new Set(nodes),
      channels: channels === null ? 'all' : new Set(channels),
    };
  }
}
