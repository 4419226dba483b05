/** What a consumer of the facts learned about one run: each fact once, however often it was delivered. */
import {
  RESERVATION_FACTS,
  type ReservationChanged,
  SKU_CHANGED,
  type SkuChanged,
  reservationSubject,
} from '@onepool/contracts';
import type { ConfirmFact, MoveFact } from '@onepool/simulator-domain';

export interface ReceivedFact {
  /** CloudEvents id. */
  readonly id: string;
  readonly subject: string;
  readonly key: string;
  readonly data: unknown;
  /** Client clock. */
  readonly receivedAtMs: number;
}

/** The own name of a SKU or a reservation, which ends the key. */
const nameIn = (key: string): string => key.slice(key.lastIndexOf('/') + 1);

const RESERVATION_SUBJECTS = new Set(RESERVATION_FACTS.map(reservationSubject));

export class FactLog {
  readonly #namePrefix: string;
  readonly #ids = new Set<string>();
  /** Version steps by SKU: toVersion by fromVersion. */
  readonly #steps = new Map<string, Map<number, number>>();
  readonly #latest = new Map<string, number>();
  #oldestMs = Infinity;
  readonly moves: MoveFact[] = [];
  readonly confirms: ConfirmFact[] = [];

  constructor(namePrefix: string) {
    this.#namePrefix = namePrefix;
  }

  /** Distinct facts of the run. */
  get received(): number {
    return this.#ids.size;
  }

  /** When the oldest was recorded of all facts, of whatever run, that came since this was last asked; infinite without any. */
  oldestSinceAsked(): number {
    const oldest = this.#oldestMs;
    this.#oldestMs = Infinity;
    return oldest;
  }

  take(fact: ReceivedFact): void {
    const recordedMs = Date.parse((fact.data as Partial<SkuChanged> | null)?.recordedAt ?? '');
    if (recordedMs < this.#oldestMs) this.#oldestMs = recordedMs;
    if (!nameIn(fact.key).startsWith(this.#namePrefix) || this.#ids.has(fact.id)) return;
    this.#ids.add(fact.id);
    if (fact.subject === SKU_CHANGED) this.#takeSku(fact.data as SkuChanged);
    else if (RESERVATION_SUBJECTS.has(fact.subject))
      this.#takeReservation(fact.data as ReservationChanged, fact.receivedAtMs);
  }

  /** The newest version that a fact told of the SKU; 0 when none did. */
  versionOf(sku: string): number {
    return this.#latest.get(sku) ?? 0;
  }

  /** How many links the SKU's chain lacks between version 0 and the version its book shows. */
  gapsOf(sku: string, version: number): number {
    const steps = [...(this.#steps.get(sku) ?? [])].sort(([a], [b]) => a - b);
    let at = 0;
    let gaps = 0;
    for (const [from, to] of steps) {
      if (from !== at) gaps += 1;
      at = to;
    }
    return at === version ? gaps : gaps + 1;
  }

  #takeSku({ sku, fromVersion, toVersion }: SkuChanged): void {
    const steps = this.#steps.get(sku) ?? new Map<number, number>();
    this.#steps.set(sku, steps);
    steps.set(fromVersion, toVersion);
    this.#latest.set(sku, Math.max(this.versionOf(sku), toVersion));
  }

  #takeReservation(data: ReservationChanged, receivedAtMs: number): void {
    const { reservation, version, fact } = data;
    const recordedAtMs = Date.parse(data.recordedAt);
    if (fact === 'confirmed') this.confirms.push({ reservation, recordedAtMs });
    if (fact !== 'moved' && fact !== 'expired') return;
    for (const { sku, node, to, quantity } of data.changes) {
      // Orders of the simulator are never rejected, so that all units stand at nodes.
      if (node === null || to === null) continue;
      const place = to === undefined ? { sku, node } : { sku, node, to };
      this.moves.push({ reservation, version, recordedAtMs, receivedAtMs, ...place, quantity });
    }
  }
}
