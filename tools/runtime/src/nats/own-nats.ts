import { jetstream } from '@nats-io/jetstream';
import { connectNats, findStream } from '@onepool/platform-messaging';
import { changeNatsAccounts, natsUrlFor } from '@onepool/platform-local-servers';
import { NATS_PORT_OFFSET } from '../app-catalogue.ts';
import { underLock } from '../home-lock.ts';
import { homePaths } from '../home.ts';
import type { HomePaths } from '../home.ts';
import { isRunning, readRecord } from '../runtime-record.ts';
import type { RuntimeRecord } from '../runtime-record.ts';
import { provisionDurables } from './durables.ts';
import { NatsUserError, addNatsGuest, ensureNatsUsers, removeNatsGuest } from './nats-users.ts';
import type { NatsUserRecord } from './nats-users.ts';
import { natsAccounts, wantedDurables } from './permissions.ts';

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
    const record = this.#running();
    const users = addNatsGuest(this.#paths.natsUsers, guest);
    const user = users.find(({ name }) => name === guest.name);
    if (user === undefined) throw new NatsUserError(`${guest.name} was not added.`);
    const port = portOf(record);
    try {
      if (record !== undefined) await this.#letIn(record, users);
    } catch (error) {
      // Nobody was told the password, so a user who is half there would only be in the way of the next try.
      removeNatsGuest(this.#paths.natsUsers, guest.name);
      throw error;
    }
    return { user, url: natsUrlFor(`nats://127.0.0.1:${port}`, user), isActive: record !== undefined };
  }

  /** Shuts a guest out and forgets how far it had read. @throws NatsUserError, LocalServerError. */
  async remove(name: string): Promise<void> {
    return this.#alone(() => this.#remove(name));
  }

  async #remove(name: string): Promise<void> {
    const record = this.#running();
    const before = this.users();
    const users = removeNatsGuest(this.#paths.natsUsers, name);
    if (record === undefined) return;
    await changeNatsAccounts(this.#paths.home, portOf(record), natsAccounts(users));
    const kept = new Set(wantedDurables(users).map(({ durable }) => durable));
    const gone = wantedDurables(before).filter(({ durable }) => !kept.has(durable));
    await this.#asOperator(record, async (connection) => {
      const manager = await jetstream(connection).jetstreamManager(false);
      for (const { stream, durable } of gone) {
        if ((await findStream(manager, stream)) !== undefined) await manager.consumers.delete(stream, durable);
      }
    });
  }

  /** Two who read the users, change them and write them back would each lose what the other has added. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    return underLock(`${this.#paths.natsUsers}.lock`, work);
  }

  async #letIn(record: RuntimeRecord, users: readonly NatsUserRecord[]): Promise<void> {
    await changeNatsAccounts(this.#paths.home, portOf(record), natsAccounts(users));
    await this.#asOperator(record, (connection) => provisionDurables(connection, users));
  }

  async #asOperator(
    { natsUrl = '' }: RuntimeRecord,
    work: (connection: Awaited<ReturnType<typeof connectNats>>) => Promise<void>,
  ): Promise<void> {
    const connection = await connectNats({ url: natsUrl, name: 'nats-users', giveUpAfterMs: GIVE_UP_AFTER_MS });
    try {
      await work(connection);
    } finally {
      await connection.close();
    }
  }

  /** @throws NatsUserError when a system runs on another's NATS, whose users are not ours to make. */
  #running(): RuntimeRecord | undefined {
    const record = readRecord(this.#paths.record);
    if (record === undefined || !isRunning(record.runtime) || record.natsUrl === undefined) return undefined;
    if (record.processes['nats'] === undefined && new URL(record.natsUrl).port !== String(portOf(record))) {
      throw new NatsUserError('The system runs on the NATS of NATS_URL; whoever runs that server makes its users.');
    }
    return record;
  }
}

const portOf = (record: RuntimeRecord | undefined): number =>
  (record?.portBase ?? DEFAULT_PORT_BASE) + NATS_PORT_OFFSET;
