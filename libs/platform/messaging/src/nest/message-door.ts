import type { ProblemDocument } from './json-request-reply.ts';

/** A message that may come in. */
export interface Admitted {
  /** Notes whose message it is, on what carries it through Nest: its headers. */
  readonly mark: (headers: object) => void;
  /** Is called once the message is dealt with. */
  readonly leave: () => void;
}

/** The same document for the same refusal makes refusing cheap: its bytes are made once. */
export type Admission = Admitted | { readonly refusal: ProblemDocument };

export interface MessageCredentials {
  /** The header `authorization`. */
  readonly authorization: string | undefined;
  /** The header `onepool-person`. */
  readonly person: string | undefined;
}

/**
 * Decides about a message by its subject and by what it says of who sends it, before anything else of it is read.
 * platform-auth has the door that asks for API keys.
 */
export interface MessageDoor {
  /** The refusal of what needs no look-up to be refused, as a message without a key; else undefined. It costs next to nothing. */
  glance(subject: string, credentials: MessageCredentials): ProblemDocument | undefined;
  /** Decides; at once wherever it can. A promise never rejects. */
  admit(subject: string, credentials: MessageCredentials): Admission | Promise<Admission>;
}

const nothing = (): void => undefined;
const anybody: Admitted = { mark: nothing, leave: nothing };

/** The door of a service that everybody on its NATS may call. */
export const openDoor: MessageDoor = { glance: () => undefined, admit: () => anybody };
