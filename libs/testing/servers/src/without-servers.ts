/** Imports nothing, because Jest loads its set-up without the export condition that leads to the libraries' sources. */

type Environment = Readonly<Record<string, string | undefined>>;

/** The addresses, whatever PostgreSQL's clients read by themselves, and a key. NATS_SERVER_BIN is a program. */
const LEADS_TO_SERVERS = /^(DATABASE_URL|DATABASE_OWNER_URL|NATS_(?!SERVER_BIN$)\w+|PG[A-Z]+|ONEPOOL_API_KEY)$/;

/**
 * A copy of an environment in which no setting leads to servers that are already there, for programs that must have
 * servers of their own.
 *
 * @example spawn('npm', ['start'], { env: { ...withoutServers(process.env), ONEPOOL_HOME: home } });
 */
export function withoutServers(environment: Environment): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !LEADS_TO_SERVERS.test(name)));
}
