import type { NatsConnection } from '@nats-io/transport-node';
import { connectNats } from '@onepool/platform-messaging';
import { changeNatsAccounts, natsPortIn, natsUrlFor } from '@onepool/platform-local-servers';
import { NATS_PORT_OFFSET } from '../app-catalogue.ts';
import { underLock } from '../home-lock.ts';
import { homePaths } from '../home.ts';
import type { HomePaths } from '../home.ts';
import { isRunning, readRecord } from '../runtime-record.ts';
import type { RuntimeRecord } from '../runtime-record.ts';
import { provisionDurables, removeUnwantedDurables } from './durables.ts';
import { NatsUserError, addNatsGuest, ensureNatsUsers, removeNatsGuest, withoutNatsGuest } from './nats-users.ts';
import type { NatsUserRecord } from './nats-users.ts';
import { natsAccounts } from './permissions.ts';

export interface AddedUser {
  readonly user: NatsUserRecord;
  /** With the password. */
  readonly url: string;
  /** False when the system does not run, so that the user is there from its next start on. */
  readonly isActive: boolean;
}

const GIVE_UP_AFTER_MS = 5_000;
const DEFAULT_PORT_BASE = 3_000;

/** The NATS that the runtime starts for a home, seen by a tool that looks after its users. */
export class OwnNats {
  readonly #paths: HomePaths;

  constructor(home: string) {
    this.#paths = homePaths(home);
  }

  users(): readonly NatsUserRecord[] {
    return ensureNatsUsers(this.#paths.natsUsers);
  }

  /** Makes a guest; a running server lets it in at once. @throws NatsUserError, LocalServerError. */
  async add(guest: Pick<NatsUserRecord, 'name' | 'consumes' | 'calls'>): Promise<AddedUser> {
    return this.#alone(() => this.#add(guest));
  }

  async #add(guest: Pick<NatsUserRecord, 'name' | 'consumes' | 'calls'>): Promise<AddedUser> {
    const port = await this.#serverPort();
    const users = addNatsGuest(this.#paths.natsUsers, guest);
    const user = users.find(({ name }) => name === guest.name);
    if (user === undefined) throw new NatsUserError(`${guest.name} was not added.`);
    try {
      if (port !== undefined) await this.#letIn(port, users, user);
    } catch (error) {
      // Nobody was told the password, so a user who is half there would only be in the way of the next try.
      removeNatsGuest(this.#paths.natsUsers, guest.name);
      throw error;
    }
    const address = `nats://127.0.0.1:${port ?? portOf(readRecord(this.#paths.record))}`;
    return { user, url: natsUrlFor(address, user), isActive: port !== undefined };
  }

  /** Shuts a guest out and forgets how far it had read. @throws NatsUserError, LocalServerError. */
  async remove(name: string): Promise<void> {
    return this.#alone(() => this.#remove(name));
  }

  async #remove(name: string): Promise<void> {
    const port = await this.#serverPort();
    const users = withoutNatsGuest(this.users(), name);
    // The file comes second: when the server was not told, the user is still listed, and can be removed again.
    if (port !== undefined) await changeNatsAccounts(this.#paths.home, port, natsAccounts(users));
    removeNatsGuest(this.#paths.natsUsers, name);
    // Where this does not come to pass, the runtime does it at its next start.
    if (port !== undefined) await this.#asOperator(port, (connection) => removeUnwantedDurables(connection, users));
  }

  /** Two who read the users, change them and write them back would each lose what the other has added. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    return underLock(`${this.#paths.natsUsers}.lock`, work);
  }

  async #letIn(port: number, users: readonly NatsUserRecord[], user: NatsUserRecord): Promise<void> {
    await changeNatsAccounts(this.#paths.home, port, natsAccounts(users));
    await this.#asOperator(port, async (connection) => {
      // Whoever had the name before may have left a durable, and how far it had read is not this user's.
      await removeUnwantedDurables(
        connection,
        users.filter((one) => one !== user),
      );
      await provisionDurables(connection, users);
    });
  }

  async #asOperator(port: number, work: (connection: NatsConnection) => Promise<void>): Promise<void> {
    const [operator] = this.users();
    if (operator === undefined) throw new NatsUserError('There is no operator among the users.');
    const url = natsUrlFor(`nats://127.0.0.1:${port}`, operator);
    const connection = await connectNats({ url, name: 'nats-users', giveUpAfterMs: GIVE_UP_AFTER_MS });
    try {
      await work(connection);
    } finally {
      await connection.close();
    }
  }

  /**
   * Where our server runs or should run; a killed runtime leaves it running.
   *
   * @throws NatsUserError when a system runs on another's NATS, whose users are not ours to make.
   */
  async #serverPort(): Promise<number | undefined> {
    const record = readRecord(this.#paths.record);
    if (record === undefined || !isRunning(record.runtime) || record.natsUrl === undefined) {
      return natsPortIn(this.#paths.home);
    }
    if (record.processes['nats'] === undefined && new URL(record.natsUrl).port !== String(portOf(record))) {
      throw new NatsUserError('The system runs on the NATS of NATS_URL; whoever runs that server makes its users.');
    }
    return portOf(record);
  }
}

const portOf = (record: RuntimeRecord | undefined): number =>
  (record?.portBase ?? DEFAULT_PORT_BASE) + NATS_PORT_OFFSET;
