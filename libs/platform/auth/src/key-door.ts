import type { MessageDoor } from '@onepool/platform-messaging';
import { ProblemError } from '@onepool/platform-problem';
import type { Access } from './access.ts';
import type { Authenticator, Credentials, Verdict } from './authenticator.ts';
import { admitted } from './current-caller.ts';
import type { InFlightLimit } from './in-flight-limit.ts';

type Refusal = NonNullable<ReturnType<MessageDoor['glance']>>;
type Decision = Awaited<ReturnType<MessageDoor['admit']>>;

const nothing = (): void => undefined;
const ANYBODY: Decision = { mark: (headers) => admitted(headers, null), leave: nothing };

/**
 * The door of NATS messages: the same rules as for HTTP, asked before a message is read. `accessOf` tells what the handler
 * of a subject declares.
 */
export class KeyDoor implements MessageDoor {
  readonly #authenticator: Authenticator;
  readonly #limit: InFlightLimit;
  readonly #accessOf: (subject: string) => Access | undefined;
  /** The documents of refusals that are made once are made once, too. */
  readonly #documents = new WeakMap<ProblemError, Refusal>();

  constructor(authenticator: Authenticator, limit: InFlightLimit, accessOf: (subject: string) => Access | undefined) {
    this.#authenticator = authenticator;
    this.#limit = limit;
    this.#accessOf = accessOf;
  }

  glance(subject: string, credentials: Credentials): Refusal | undefined {
    const refusal = this.#authenticator.glance(this.#accessOf(subject), credentials);
    return refusal && this.#documentOf(refusal);
  }

  admit(subject: string, credentials: Credentials): Decision | Promise<Decision> {
    const verdict = this.#authenticator.judge(this.#accessOf(subject), credentials);
    return verdict instanceof Promise ? verdict.then((later) => this.#decide(later)) : this.#decide(verdict);
  }

  #decide(verdict: Verdict): Decision {
    if (verdict instanceof ProblemError) return { refusal: this.#documentOf(verdict) };
    if (verdict === null) return ANYBODY;
    const leave = this.#limit.enter(verdict);
    if (leave === null) return { refusal: this.#documentOf(this.#limit.full) };
    return { mark: (headers) => admitted(headers, verdict), leave };
  }

  #documentOf(refusal: ProblemError): Refusal {
    const document = this.#documents.get(refusal) ?? refusal.toProblem();
    this.#documents.set(refusal, document);
    return document;
  }
}
