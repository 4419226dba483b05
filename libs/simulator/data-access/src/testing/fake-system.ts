/**
 * The availability API in memory, for tests of the replay only: the model pool behind HTTP, with facts. It can be told
 * to be wrong in one way, so that a test shows that the auditor notices.
 */
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import {
  type FulfilRequest,
  type HoldRequest,
  type MovementsRequest,
  type Reservation,
  type ReservationFact,
} from '@onepool/contracts';
import { randomOf } from '@onepool/simulator-domain';
import { type Backed, ModelPool } from '@onepool/testing-model-pool';
import type { FactSource } from '../facts/fact-source.ts';
import { FakeFacts } from './fake-facts.ts';

export type Flaw =
  | 'none'
  | 'oversells'
  | 'refuses wrongly'
  | 'cuts partial grants wrongly'
  | 'drops a fact'
  | 'loses an acknowledged write'
  | 'applies a repeated sale twice'
  | 'forgets to heal'
  | 'does not balance'
  | 'cuts connections after the effect'
  | 'is often busy'
  | 'leaves some calls unanswered';

type Answer = readonly [status: number, body: unknown];
interface Kept {
  readonly reservation: Reservation;
  /** Tallies by `line\nnode`, besides what the pool knows to be open. */
  readonly done: Map<string, { fulfilled: number; released: number; cancelled: number }>;
  version: number;
  confirmed: boolean;
}

/** Units of a line, as its reservation has them in the pool. */
interface Share extends Backed {
  readonly line: string;
}
type PartLine = NonNullable<FulfilRequest['lines']>[number];

/** The pool knows lines only: each is a reservation there. */
const lineKey = (id: string, line: string): string => `${id}\n${line}`;

const problem = (status: number, code: string): Answer => [status, { type: `urn:${code}`, status, code }];

export class FakeSystem {
  readonly #flaw: Flaw;
  readonly #random = randomOf(1, 'fake');
  readonly #kept = new Map<string, Kept>();
  readonly #answers = new Map<string, Answer>();
  readonly #facts = new FakeFacts((number) => number === 500 && this.#shows('drops a fact', 1));
  readonly #server: Server;
  #pool = new ModelPool([]);
  readonly #cutTimes = new Map<string, number>();
  #flaws = 0;
  /** Times the flaw showed: a test that never met it proves nothing. */
  get flawsShown(): number {
    return this.#flaws;
  }

  constructor(flaw: Flaw) {
    this.#flaw = flaw;
    this.#server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        void this.#answer(request.method ?? '', request.url ?? '', text).then(([status, body]) => {
          if (request.method === 'POST' && this.#cuts(text)) return request.socket.destroy();
          return response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
        });
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  get facts(): FactSource {
    return this.#facts;
  }

  /** Whether the answer is lost on its way back; by the request's own text, so that some calls never get one. */
  #cuts(text: string): boolean {
    if (this.#flaw === 'cuts connections after the effect') return this.#random.fraction() < 0.1;
    if (this.#flaw !== 'leaves some calls unanswered' || randomOf(1, text).fraction() > 0.15) return false;
    const times = (this.#cutTimes.get(text) ?? 0) + 1;
    this.#cutTimes.set(text, times);
    // A movement is repeated once all has been sent, and must succeed then; a reservation is read.
    const cut = times <= 4 || !text.includes('"movements"');
    if (cut) this.#flaws += 1;
    return cut;
  }

  async #answer(method: string, url: string, text: string): Promise<Answer> {
    for (let turns = this.#random.below(4); turns > 0; turns -= 1) await turn();
    const write = method === 'POST' && /^\/v1\/(reservations|movements)/.test(url);
    if (write && this.#flaw === 'is often busy' && this.#random.fraction() < 0.2) return problem(503, 'service.busy');
    const answer = this.#route(method, url, text === '' ? {} : JSON.parse(text));
    for (let turns = this.#random.below(4); turns > 0; turns -= 1) await turn();
    return answer;
  }

  #route(method: string, url: string, body: unknown): Answer {
    const [path = '', query = ''] = url.split('?');
    const [, , entity, id = '', verb] = path.split('/').map(decodeURIComponent);
    if (method === 'PUT') {
      if (entity === 'nodes')
        this.#pool = new ModelPool((body as { nodes: { node: string }[] }).nodes.map((n) => n.node));
      return [200, { applied: 1 }];
    }
    if (entity === 'events') return [200, { written: query === '' ? 0 : this.#facts.written }];
    if (entity === 'ledger')
      return [200, { balanced: this.#flaw !== 'does not balance', rowsChecked: 1, mismatches: [] }];
    if (entity === 'stock')
      return [200, { sku: id, version: this.#facts.versionOf(id), asOf: '', rows: this.#pool.stockRows(id) }];
    if (entity === 'movements')
      return this.#once((body as MovementsRequest).id, () => this.#move(body as MovementsRequest));
    if (verb !== undefined) {
      const { commandId, lines } = body as FulfilRequest;
      return this.#once(commandId, () => this.#verb(id, verb, lines));
    }
    if (method === 'GET') {
      const kept = this.#kept.get(id);
      return kept ? [200, this.#view(kept)] : problem(404, 'reservation.unknown');
    }
    return this.#once((body as HoldRequest).id, () => this.#hold(body as HoldRequest));
  }

  /** Effects are replayed by id; refusals are not. */
  #once(id: string, effect: () => Answer): Answer {
    const stored = this.#answers.get(id);
    if (stored) return stored;
    const answer = effect();
    if (answer[0] < 300) this.#answers.set(id, answer);
    return answer;
  }

  #hold({ id, channel, lines, allowPartial = false }: HoldRequest): Answer {
    const wanted = new Map<string, number>();
    for (const { sku, quantity } of lines) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity);
    if (this.#shows('refuses wrongly', 0.05)) return problem(409, 'stock.insufficient');
    let backed = this.#pool.hold(id, wanted, allowPartial);
    if (!backed && this.#shows('oversells', 0.2)) {
      const [sku = '', quantity = 0] = [...wanted].find(([one, units]) => this.#pool.freeAnywhere(one) < units) ?? [];
      backed = [{ sku, node: this.#pool.stockRows(sku)[0]?.node ?? '', quantity }];
      this.#pool.put(id, backed);
    }
    if (!backed) return problem(409, 'stock.insufficient');
    const first = backed[0];
    if (allowPartial && backed.length > 1 && first && this.#shows('cuts partial grants wrongly', 1)) {
      this.#pool.giveBack(id, [first]);
      backed = backed.slice(1);
    }
    const shares = sharesOf(lines, backed);
    this.#pool.giveBack(id, backed);
    this.#put(id, shares);
    const reservation: Reservation = {
      id,
      owner: 'prn_simulator222',
      channel,
      status: 'held',
      version: 1,
      createdAt: new Date().toISOString(),
      expiresAt: null,
      lines: lines.map(({ sku, quantity: requested }, index) => {
        const line = String(index + 1);
        return { id: line, sku, requested, granted: unitsOf(shares.filter((one) => one.line === line)), backings: [] };
      }),
    };
    const kept: Kept = { reservation, done: new Map(), version: 1, confirmed: false };
    this.#kept.set(id, kept);
    const view = this.#view(kept);
    this.#changed(backed);
    if (this.#shows('loses an acknowledged write', 0.02)) {
      this.#giveBack(id, shares);
      this.#kept.delete(id);
    }
    return [201, view];
  }

  #verb(id: string, verb: string, parts: readonly PartLine[] | undefined): Answer {
    const kept = this.#kept.get(id);
    if (!kept) return problem(404, 'reservation.unknown');
    const open = this.#open(kept);
    const units = parts ? parts.flatMap((part) => selected(open, part)) : open;
    const expected = verb === 'release' || verb === 'confirm' ? !kept.confirmed : kept.confirmed;
    if (!expected || units.length < (parts?.length ?? 1))
      return problem(
        409,
        verb === 'release' || verb === 'confirm' ? 'reservation.not_held' : 'reservation.not_confirmed',
      );
    if (verb === 'confirm') kept.confirmed = true;
    else if (verb === 'fulfil') for (const one of units) this.#pool.fulfil(lineKey(id, one.line), [one]);
    else this.#giveBack(id, units);
    for (const { line, node, quantity } of verb === 'confirm' ? [] : units) {
      const done = kept.done.get(`${line}\n${node}`) ?? { fulfilled: 0, released: 0, cancelled: 0 };
      kept.done.set(`${line}\n${node}`, done);
      done[({ fulfil: 'fulfilled', release: 'released', cancel: 'cancelled' } as const)[verb] ?? 'released'] +=
        quantity;
    }
    kept.version += 1;
    const fact = { confirm: 'confirmed', fulfil: 'fulfilled', release: 'released', cancel: 'cancelled' }[verb] ?? verb;
    this.#told(kept, fact as ReservationFact, units);
    const skus = this.#changed(units);
    // Units given back may heal a shortfall elsewhere.
    void turn().then(() => this.#heal(skus));
    return [200, this.#view(kept)];
  }

  #move({ id, movements }: MovementsRequest): Answer {
    const damages = movements.filter(({ type }) => type === 'damage');
    if (damages.some(({ sku, node, quantity }) => this.#pool.row(sku, node).sellable < quantity))
      return problem(409, 'movement.exceeds_stock');
    const twice = movements[0]?.type === 'sale' && this.#shows('applies a repeated sale twice', 0.2);
    for (const { type, sku, node, quantity } of twice ? [...movements, ...movements] : movements) {
      if (type === 'receipt') this.#pool.supply(sku, node, quantity);
      else if (type === 'damage') this.#pool.damage(sku, node, quantity);
      else this.#pool.take(sku, node, Math.abs(quantity));
    }
    const skus = this.#changed(movements);
    void turn().then(() => this.#heal(skus));
    return [201, { id, recordedAt: new Date().toISOString(), skus: [] }];
  }

  #heal(skus: readonly string[]): void {
    if (this.#flaw === 'forgets to heal') return;
    for (const sku of skus) {
      for (const moved of this.#pool.heal(sku)) {
        const [id = '', line = ''] = moved.reservation.split('\n');
        const kept = this.#kept.get(id);
        if (!kept) throw new Error('A move of a reservation that is not kept.');
        kept.version += 1;
        const { node, to, quantity } = moved;
        this.#told(kept, 'moved', [{ line, sku, node, to, quantity }]);
        this.#changed([moved]);
      }
    }
  }

  #view({ reservation, done, version, confirmed }: Kept): Reservation {
    const lines = reservation.lines.map((line) => {
      const open = this.#pool.open(lineKey(reservation.id, line.id));
      const nodes = new Set([
        ...open.map(({ node }) => node),
        ...[...done.keys()].filter((key) => key.startsWith(`${line.id}\n`)).map((key) => key.split('\n')[1] ?? ''),
      ]);
      const backings = [...nodes].map((node) => {
        const units = open.find((one) => one.node === node)?.quantity ?? 0;
        const tally = done.get(`${line.id}\n${node}`) ?? { fulfilled: 0, released: 0, cancelled: 0 };
        const promised = confirmed ? { held: 0, confirmed: units } : { held: units, confirmed: 0 };
        return { node, kind: 'stock' as const, ...promised, expired: 0, broken: 0, ...tally };
      });
      return { ...line, backings };
    });
    return { ...reservation, version, lines };
  }

  #open({ reservation: { id, lines } }: Kept): Share[] {
    return lines.flatMap(({ id: line }) => this.#pool.open(lineKey(id, line)).map((units) => ({ line, ...units })));
  }

  #put(id: string, shares: readonly Share[]): void {
    for (const one of shares) this.#pool.put(lineKey(id, one.line), [one]);
  }

  #giveBack(id: string, shares: readonly Share[]): void {
    for (const one of shares) this.#pool.giveBack(lineKey(id, one.line), [one]);
  }

  #told(kept: Kept, fact: ReservationFact, changes: readonly (Share & { to?: string })[]): void {
    this.#facts.reservation(kept.reservation, kept.version, fact, changes);
  }

  /** Tells that the SKUs of these rows changed, and answers which. */
  #changed(rows: readonly { readonly sku: string }[]): string[] {
    const skus = [...new Set(rows.map(({ sku }) => sku))];
    for (const sku of skus) this.#facts.sku(sku);
    return skus;
  }

  #shows(flaw: Flaw, probability: number): boolean {
    const shows = this.#flaw === flaw && this.#random.fraction() < probability;
    if (shows) this.#flaws += 1;
    return shows;
  }
}

const unitsOf = (units: readonly Backed[]): number => units.reduce((sum, { quantity }) => sum + quantity, 0);

/** The open units that a part names, by line and node. */
const selected = (open: readonly Share[], { line, node, quantity }: PartLine): Share[] =>
  open
    .filter((one) => one.line === line && one.node === node && one.quantity >= quantity)
    .map((one) => ({ ...one, quantity }));

/** Whose units they are: lines of one SKU take theirs in turn. */
const sharesOf = (lines: HoldRequest['lines'], backed: readonly Backed[]): Share[] => {
  const left = backed.map((one) => ({ ...one }));
  return lines.flatMap(({ sku, quantity }, index) => {
    let wanted = quantity;
    return left.flatMap((units) => {
      const taken = units.sku === sku ? Math.min(wanted, units.quantity) : 0;
      wanted -= taken;
      units.quantity -= taken;
      return taken > 0 ? [{ line: String(index + 1), sku, node: units.node, quantity: taken }] : [];
    });
  });
};
