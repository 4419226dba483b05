import pg from 'pg';

/** Runs one statement on a connection of its own. */
export async function queryOnce(url: string, statement: string, values: readonly unknown[] = []): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement, [...values])).rows as unknown[];
  } finally {
    await client.end();
  }
}

/** A database as the role that apps work as, and as the one that owns it. */
export interface DatabaseAddresses {
  readonly url: string;
  readonly ownerUrl: string;
}

/** The addresses of another database of the same server. */
export function addressesOf({ url, ownerUrl }: DatabaseAddresses, name: string): DatabaseAddresses {
  const at = (address: string): string => Object.assign(new URL(address), { pathname: `/${name}` }).href;
  return { url: at(url), ownerUrl: at(ownerUrl) };
}
