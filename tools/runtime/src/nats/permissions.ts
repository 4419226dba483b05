/**
 * Who may do what on the NATS that we start, as accounts and permissions of the server. See ADR 0013.
 *
 * The apps and the operator share one account. Other teams' users are guests: an account of their own, which sees only what
 * is exported to it. A permission cannot bind the reply subject that a request names, nor the subject to which a push
 * consumer delivers, and the server publishes there whatever the user may publish himself; the border of an account can.
 */
import {
  ALL_REQUESTS,
  APPS,
  INTERNAL_BROADCASTS,
  INTERNAL_REQUESTS,
  type AppContract,
  type FactStream,
  GUEST_DOMAIN,
  type ModuleContract,
  requestsOf,
  streamsOf,
} from '@onepool/contracts';
import type { NatsAccount, NatsExport, NatsPermissions } from '@onepool/platform-local-servers';
import { deadLetterSubject } from '@onepool/platform-messaging';
import type { Durable } from '@onepool/platform-messaging';
import type { NatsUserRecord } from './nats-users.ts';
import { isWithin } from './subjects.ts';

export const POOL_ACCOUNT = 'onepool';
export const GUEST_ACCOUNT = 'guests';

/** What of an app's contract the NATS server has to know. */
export interface AppOnNats extends Pick<AppContract, 'name' | 'consumes'> {
  readonly modules: readonly Pick<ModuleContract, 'scope' | 'facts' | 'internal'>[];
}

export const factStreams = (apps: readonly AppOnNats[] = APPS): readonly FactStream[] =>
  apps.flatMap(({ modules }) => streamsOf(modules));

/** The stream of the facts that a guest reads, if any: a subject of facts belongs to one stream. */
const streamsRead = ({ consumes }: NatsUserRecord, apps: readonly AppOnNats[]): readonly string[] =>
  factStreams(apps)
    .filter(({ subjects }) => consumes !== undefined && isWithin(consumes, subjects))
    .map(({ name }) => name);

/** The accounts with the given users; the operator comes first. */
export function natsAccounts(users: readonly NatsUserRecord[], apps: readonly AppOnNats[] = APPS): NatsAccount[] {
  const offers = guestOffers(factStreams(apps).map(({ name }) => name));
  const ours = users.flatMap(({ name, password, kind }) => {
    if (kind === 'operator') return [{ name, password }];
    const app = apps.find((one) => one.name === name);
    return kind === 'app' && app !== undefined ? [{ name, password, permissions: appPermissions(app) }] : [];
  });
  const guests = users.flatMap((user) =>
    user.kind === 'guest'
      ? [{ name: user.name, password: user.password, permissions: guestPermissions(user, apps) }]
      : [],
  );
  return [
    { name: POOL_ACCOUNT, users: ours, exports: offers.map(({ local: _local, ...offer }) => offer) },
    {
      name: GUEST_ACCOUNT,
      jetstream: false,
      users: guests,
      imports: offers.map(({ subject, local }) => ({ from: POOL_ACCOUNT, subject, ...(local ? { as: local } : {}) })),
    },
  ];
}

/**
 * An app answers the requests of its modules, each in the module's queue, publishes their facts, and makes their streams when
 * they are missing. It may not update them: a stream that is bounded to one message is as good as purged.
 */
function appPermissions({ name, modules, consumes }: AppOnNats): NatsPermissions {
  return {
    publish: {
      allow: [
        ALL_REQUESTS,
        INTERNAL_REQUESTS,
        ...modules.flatMap(({ internal }) => internal?.tells ?? []),
        ...streamsOf(modules).flatMap((stream) => [
          ...stream.subjects,
          ...['INFO', 'CREATE', 'MSG.GET'].map((verb) => `$JS.API.STREAM.${verb}.${stream.name}`),
        ]),
        ...consumes.flatMap((one) => consumption(one.stream, one.durable, '$JS.API')),
      ],
    },
    subscribe: {
      allow: [
        ...modules.flatMap((module) =>
          [requestsOf(module), ...(module.internal?.answers ?? [])].map((subject) => `${subject} ${module.scope}`),
        ),
        INTERNAL_BROADCASTS,
        `_INBOX.${name}.>`,
      ],
    },
    allowResponses: true,
  };
}

/** A guest reads its own durable consumer, calls the apps, or both; answers reach its own inbox alone. */
function guestPermissions(user: NatsUserRecord, apps: readonly AppOnNats[]): NatsPermissions {
  const { name, calls } = user;
  const reads = streamsRead(user, apps).flatMap((stream) => consumption(stream, name, GUEST_API));
  return {
    publish: { allow: [...new Set([...reads, ...(calls ? [ALL_REQUESTS] : [])])] },
    subscribe: { allow: [`_INBOX.${name}.>`] },
  };
}

const GUEST_API = `$JS.${GUEST_DOMAIN}.API`;

/** What reading a durable that somebody else made takes. */
function consumption(stream: string, durable: string, api: string): string[] {
  return [
    `${api}.STREAM.INFO.${stream}`,
    `${api}.CONSUMER.INFO.${stream}.${durable}`,
    `${api}.CONSUMER.MSG.NEXT.${stream}.${durable}`,
    `$JS.ACK.${stream}.${durable}.>`,
    deadLetterSubject(durable),
  ];
}

/** What guests can be given at all. Under `$JS.API` each account has a JetStream of its own, so they ask by the domain. */
function guestOffers(streams: readonly string[]): (NatsExport & { readonly local?: string })[] {
  const to = [GUEST_ACCOUNT];
  const ofJetStream = (rest: string, streamed = false) => ({
    subject: `$JS.API.${rest}`,
    local: `${GUEST_API}.${rest}`,
    to,
    streamed,
  });
  return [
    { subject: ALL_REQUESTS, to },
    { subject: deadLetterSubject('*'), to },
    ...streams.flatMap((stream) => [
      ofJetStream(`STREAM.INFO.${stream}`),
      ofJetStream(`CONSUMER.INFO.${stream}.*`),
      ofJetStream(`CONSUMER.MSG.NEXT.${stream}.*`, true),
      { subject: `$JS.ACK.${stream}.*.>`, to },
    ]),
  ];
}

/** The rights of a user in a few words. */
export function describeRights({ name, kind, consumes, calls }: NatsUserRecord): string {
  if (kind === 'operator') return 'everything: the local runtime and its tools';
  const app = APPS.find((one) => one.name === name);
  if (kind === 'app') {
    if (app === undefined) return 'nothing: no such app';
    const answers = app.modules.map(requestsOf).join(', ');
    return `answers ${answers}, publishes ${
      streamsOf(app.modules)
        .flatMap(({ subjects }) => subjects)
        .join(', ') || 'nothing'
    }`;
  }
  const rights = [
    ...(consumes === undefined ? [] : [`reads ${consumes} by its durable consumer ${name}`]),
    ...(calls ? [`calls ${ALL_REQUESTS}`] : []),
  ];
  return rights.join('; ');
}

export interface WantedDurable extends Durable {
  readonly stream: string;
}

/** Written on a guest's durable, by which it is told from those that the operator makes by hand. */
export const OF_A_GUEST = 'of a guest: onepool nats-users';

/** Streams and durables that nobody but the operator makes. */
export function wantedDurables(
  users: readonly NatsUserRecord[],
  apps: readonly AppOnNats[] = APPS,
): readonly WantedDurable[] {
  const ofGuests = users.flatMap((user) =>
    streamsRead(user, apps).map((stream) => ({
      stream,
      durable: user.name,
      filterSubject: user.consumes ?? '',
      description: OF_A_GUEST,
    })),
  );
  return [...apps.flatMap(({ consumes }) => consumes), ...ofGuests];
}
