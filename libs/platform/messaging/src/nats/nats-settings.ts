/**
 * How a program is told where NATS is and who it is there. One set of settings for every app and tool, beside each other
 * because they are one decision: an address, at most one kind of credentials, certificates.
 */
import { type Static, type TObject, Type } from '@sinclair/typebox';
import { secret } from '@onepool/platform-config';
import type { NatsOptions } from './nats-options.ts';

const file = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));

/** Put these into an app's configuration: `Type.Object({ …, ...NATS_SETTINGS })`. */
export const NATS_SETTINGS = {
  NATS_URL: secret(
    Type.String({
      default: 'nats://127.0.0.1:4222',
      description:
        'nats-server with JetStream: `nats://user:password@host:port`, `nats://token@host`, `tls://…`; several by commas.',
    }),
  ),
  NATS_NKEY_FILE: file('File with the seed of an NKEY, instead of a user in the address.'),
  NATS_CREDS_FILE: file('Credentials file (JWT and seed) as `nsc` makes it, instead of a user in the address.'),
  NATS_CA_FILE: file('Certificates of the authorities that may vouch for the server; implies TLS.'),
  NATS_CERT_FILE: file('Our own certificate, where the server asks for one.'),
  NATS_KEY_FILE: file('The key of our own certificate.'),
  NATS_STREAM_REPLICAS: Type.Integer({
    minimum: 1,
    maximum: 5,
    default: 1,
    description:
      'Copies in which a new stream is kept, each on a server of its own: 3 in a cluster, 1 on a single server.',
  }),
  NATS_INBOX_PREFIX: file('Where answers to us arrive; `_INBOX.<user>` where the address names a user, else `_INBOX`.'),
} as const;

export type NatsSettings = Static<TObject<typeof NATS_SETTINGS>>;

/** The settings as options of `connectNats`. */
export function natsAddress(settings: Omit<NatsSettings, 'NATS_STREAM_REPLICAS'>): Omit<NatsOptions, 'name'> {
  return {
    url: settings.NATS_URL,
    nkeyFile: settings.NATS_NKEY_FILE,
    credsFile: settings.NATS_CREDS_FILE,
    caFile: settings.NATS_CA_FILE,
    certFile: settings.NATS_CERT_FILE,
    keyFile: settings.NATS_KEY_FILE,
    inboxPrefix: settings.NATS_INBOX_PREFIX,
  };
}

/** For a tool that was given an address on its command line: the rest is in the environment. */
export function natsAddressAt(
  url: string,
  environment: Readonly<Record<string, string | undefined>>,
): Omit<NatsOptions, 'name'> {
  const set = (name: string): string | undefined => environment[name] || undefined;
  return natsAddress({
    NATS_URL: url,
    NATS_NKEY_FILE: set('NATS_NKEY_FILE'),
    NATS_CREDS_FILE: set('NATS_CREDS_FILE'),
    NATS_CA_FILE: set('NATS_CA_FILE'),
    NATS_CERT_FILE: set('NATS_CERT_FILE'),
    NATS_KEY_FILE: set('NATS_KEY_FILE'),
    NATS_INBOX_PREFIX: set('NATS_INBOX_PREFIX'),
  });
}
