/**
 * A module of an app: tables of its own, what it is asked about them, and what it tells of them. Whatever others hold on to is
 * named by the module's subject scope and never by the app that it lives in, so that it can move out and nobody notices.
 */
import type { FactDefinition } from './fact-definition.ts';
import type { SnapshotDefinition } from './snapshot.ts';

/** A part of the API, in the order of its reference; `paths` says which operations belong to it, and so to its module. */
export interface ApiPart {
  readonly name: string;
  readonly paths: RegExp;
  readonly description: string;
}

export interface ModuleContract {
  /** A word in small letters, which no other module of any app has. Every name below follows from it. */
  readonly scope: string;
  /** The facts that it tells, if any: they are kept in a stream of its own. */
  readonly facts: readonly FactDefinition[];
  /** From which a consumer of them begins that was not there from the first on, by name; see `snapshotsOf`. */
  readonly snapshots?: Readonly<Record<string, SnapshotDefinition>>;
  readonly parts: readonly ApiPart[];
  /** What only other apps may ask of it and hear from it; no guest of the NATS server sees these subjects. */
  readonly internal?: {
    /** Requests, `onepool.internal.<scope>.…`. */
    readonly answers: readonly string[];
    /** Broadcasts, `onepool.beat.<scope>.…`. */
    readonly tells: readonly string[];
  };
}

/** The JetStream stream of a module's facts, and the subjects that it captures. */
export interface FactStream {
  readonly name: string;
  readonly subjects: readonly [string];
}

type Named = Pick<ModuleContract, 'scope'>;

/** The subject of a request: `onepool.rpc.<scope>.<name>.v1`. */
export const requestSubject = (scope: string, name: string): string => `onepool.rpc.${scope}.${name}.v1`;

/** Everything that a module may be asked over NATS. */
export const requestsOf = ({ scope }: Named): string => `onepool.rpc.${scope}.>`;

/**
 * The queue in which the replicas that answer a subject share its requests: the module's scope. While a module moves, the app
 * that it leaves and the app that it enters are in one queue, so no request is answered twice.
 */
export const queueOf = (subject: string): string => {
  const [onepool, kind, scope, name] = subject.split('.');
  if (onepool !== 'onepool' || !/^(rpc|internal)$/.test(kind ?? '') || !scope || !name) {
    throw new Error(`${subject} is no subject of requests to a module.`);
  }
  return scope;
};

/** The stream of a scope: `ONEPOOL_<SCOPE>`. */
export const factStream = (scope: string): FactStream => ({
  name: `ONEPOOL_${scope.toUpperCase()}`,
  subjects: [`onepool.${scope}.>`],
});

/** The source of a scope's CloudEvents. */
export const factSource = (scope: string): string => `/onepool/${scope}`;

/** The streams that these modules publish to. */
export const streamsOf = (modules: readonly Pick<ModuleContract, 'scope' | 'facts'>[]): readonly FactStream[] =>
  modules.filter(({ facts }) => facts.length > 0).map(({ scope }) => factStream(scope));
