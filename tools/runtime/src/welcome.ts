/** What the runtime prints when everything is ready: addresses, the key, and commands to paste. */
import { randomUUID } from 'node:crypto';

export interface WelcomeFacts {
  readonly urls: Readonly<Record<string, readonly string[]>>;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  /** Where the addresses stand with their passwords. */
  readonly recordFile: string;
  /** Where the passwords of our own NATS are; undefined when it is another's. */
  readonly natsUsersFile: string | undefined;
  readonly logs: string;
  readonly apiKeyFile: string;
  readonly apiKey: string;
  /** A SKU the web shop can sell; undefined when nothing is there to be sold. */
  readonly sku: string | undefined;
}

const CHANNEL = 'web';
const LOOK_AT_SKUS = 100;
const REQUEST_TIMEOUT_MS = 5_000;

/** The text, ready to print. */
export function renderWelcome(facts: WelcomeFacts): string {
  const apps = Object.entries(facts.urls).map(([app, urls]) => [app, urls.join('  ')] as const);
  const references = Object.values(facts.urls).flatMap(([url]) => (url === undefined ? [] : [`${url}/docs`]));
  const rows = [
    ...apps,
    ['API reference', references.join('  ')] as const,
    ['PostgreSQL', `${withoutPassword(facts.databaseUrl)}  (with its password in ${facts.recordFile})`] as const,
    ['NATS', describeNats(facts)] as const,
    ['logs', facts.logs] as const,
    ['API key', `${facts.apiKey}  (${facts.apiKeyFile})`] as const,
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
  return `\nOnepool is ready.\n\n${table}\n\n${renderCommands(facts)}\n\`npm run status\` in another terminal shows how it is; Ctrl-C stops everything and keeps the data.\n`;
}

/** A password is not for the screen; where it is kept is. */
const withoutPassword = (url: string): string => url.replace(/\/\/([^/@:]*)(:[^/@]*)?@/, '//$1@');

function describeNats({ natsUrl, natsUsersFile }: WelcomeFacts): string {
  // Several servers stand in one address, each with its login.
  const hosts = natsUrl.replace(/(^|\/\/|,)[^/@,]*@/g, '$1');
  return natsUsersFile === undefined
    ? hosts
    : `${hosts}  (users: npm run onepool -- nats-users; passwords in ${natsUsersFile})`;
}

function renderCommands({ urls, apiKey, sku }: WelcomeFacts): string {
  const url = urls['availability']?.[0];
  if (url === undefined) return '';
  const authorisation = `-H 'Authorization: Bearer ${apiKey}'`;
  if (sku === undefined) return `Read what is there:\n  curl -s ${authorisation} '${url}/v1/skus'\n`;
  const id = `demo-${randomUUID().slice(0, 8)}`;
  const body = JSON.stringify({ id, channel: CHANNEL, expiresInSeconds: 600, lines: [{ sku, quantity: 1 }] });
  return `Read what can be promised:
  curl -s ${authorisation} '${url}/v1/atp/${encodeURIComponent(sku)}?channel=${CHANNEL}'

Reserve one unit for ten minutes:
  curl -s ${authorisation} -H 'Content-Type: application/json' '${url}/v1/reservations' -d '${body}'
`;
}

/** The first SKU of which the web shop can sell at least one unit; undefined when there is none or it cannot be read. */
export async function findSellableSku(url: string, apiKey: string): Promise<string | undefined> {
  const ask = async <T>(path: string, body?: unknown): Promise<T | undefined> => {
    const response = await fetch(`${url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return response.ok ? ((await response.json()) as T) : undefined;
  };
  try {
    const page = await ask<{ items: readonly { sku: string }[] }>(`/v1/skus?limit=${LOOK_AT_SKUS}`);
    const skus = page?.items.map(({ sku }) => sku) ?? [];
    if (skus.length === 0) return undefined;
    const promised = await ask<{ items: readonly { sku: string; atp: number }[] }>('/v1/atp/query', {
      channel: CHANNEL,
      skus,
    });
    return promised?.items.find(({ atp }) => atp > 0)?.sku;
  } catch {
    return undefined;
  }
}
