/**
 * What has been told of promises about which somebody has to decide, so that each of them is told once for each change of it, however
 * often it is looked at.
 */
import type { Controller } from './reservation.ts';

/** Units of a promise that cannot stay as they are. */
export interface PromiseUnits {
  /** The reservation's key, and the number of its backing. */
  readonly reservation: number;
  readonly backing: number;
  readonly quantity: number;
  /** Open units of its line, whatever they stand on. */
  readonly lineOpen: number;
  readonly controller: Controller | null;
}

export interface ToldPromise {
  readonly reservation: number;
  readonly backing: number;
  readonly quantity: number;
  /** Open units of its line then. */
  readonly lineOpen: number;
  /** The order that decides about them; null: the engine does. */
  readonly order: string | null;
  /** Milliseconds: until when it has to; null if nobody has to. */
  readonly dueAt: number | null;
}

export interface PromiseNotice<Units extends PromiseUnits = PromiseUnits> {
  /** All of them, as they have been told with this. */
  readonly told: readonly ToldPromise[];
  /** Those of them that are told now: new ones, and such of which another quantity or another order was told. */
  readonly news: readonly Units[];
  /** Those that were told and are not among them any more. */
  readonly gone: readonly ToldPromise[];
}

/** `dueAt` is the deadline of what is told now. A promise of which less is left keeps the one that it has. */
export function noticeOf<Units extends PromiseUnits>(
  before: readonly ToldPromise[],
  now: readonly Units[],
  dueAt: number | null,
): PromiseNotice<Units> {
  const known = new Map(before.map((one) => [nameOf(one), one]));
  const told: ToldPromise[] = [];
  const news: Units[] = [];
  for (const one of now) {
    const { reservation, backing, quantity, lineOpen, controller } = one;
    const order = controller?.order ?? null;
    const earlier = known.get(nameOf(one));
    known.delete(nameOf(one));
    const isSame = earlier?.quantity === quantity && earlier.order === order;
    if (!isSame) news.push(one);
    const keeps = earlier && earlier.order === order && quantity <= earlier.quantity;
    const due = keeps ? earlier.dueAt : dueAt;
    told.push({ reservation, backing, quantity, lineOpen, order, dueAt: order === null ? null : due });
  }
  return { told, news, gone: [...known.values()] };
}

/**
 * Of units that were told, those that are still open. Units of the line that have ended since are taken to be of these first.
 *
 * @example told 3 of 5, and 2 of the line were given up since: 1
 */
export const stillOpen = (
  { quantity, lineOpen }: Pick<ToldPromise, 'quantity' | 'lineOpen'>,
  openNow: number,
): number => Math.max(0, quantity - Math.max(0, lineOpen - openNow));

/** When the first of them has to be decided (ms); null if none has to. */
export const firstDue = (told: readonly ToldPromise[]): number | null =>
  told.reduce<number | null>((first, { dueAt }) => (dueAt === null ? first : Math.min(first ?? dueAt, dueAt)), null);

const nameOf = ({ reservation, backing }: Pick<PromiseUnits, 'reservation' | 'backing'>): string =>
  `${reservation}:${backing}`;
