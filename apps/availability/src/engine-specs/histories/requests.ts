/** The model's commands, as callers say them. */
import type { AllocateRequest, AmendRequest, FulfilRequest } from '@onepool/contracts';
import type { Command, Which } from '@onepool/stock-domain/testing';
import type { Answer, StockEngine } from '@onepool/stock-data-access';
import { SPEC } from '../../testing/pool-fixture.ts';
import { act, allocate } from '../asking.ts';
import { channelCode, nodeCode, skuCode } from './stage.ts';

/** What names and times the commands of a history have. */
export interface Wording {
  readonly history: number;
  /** Of the command. */
  readonly id: string;
  /** The id of the reservation with that number. */
  readonly reservation: (number: number) => string;
  /** The version of a reservation on which a command is decided, if it is not the one that the model has. */
  readonly versionOf: (reservation: string) => number | undefined;
  /** When it happened. */
  readonly occurredAt: string;
}

/** Commands about promises. */
export type PromiseCommand = Extract<Command, { readonly reservation: number } | { readonly kind: 'allocate' }>;
export type Request = (engine: StockEngine) => Promise<Answer<unknown>>;

const HELD_FOR_SECONDS = 3_600;
type Part = NonNullable<FulfilRequest['lines']>[number];
type AllocatedGroup = AllocateRequest['groups'][number];
type AmendedLine = AmendRequest['lines'][number];

/** Fulfilments are of one reservation. */
export const fulfilmentId = (reservation: string, fulfilment: string): string => `${reservation}.${fulfilment}`;

export function requestOf(command: PromiseCommand, wording: Wording): Request {
  const { history, id: commandId, occurredAt } = wording;
  const skuOf = (sku: number): string => skuCode(history, sku);
  const places = (nodes: readonly number[] | null): { nodes?: string[] } =>
    nodes === null ? {} : { nodes: nodes.map(nodeCode) };
  if (command.kind === 'allocate') {
    const reservations = command.parts.map(
      ({ reservation, version, moves }): AllocatedGroup['reservations'][number] => {
        const id = wording.reservation(reservation);
        const at = ({
          node,
          fulfilment,
        }: {
          node?: number | null | undefined;
          fulfilment?: string | null | undefined;
        }) => ({
          node: typeof node === 'number' ? nodeCode(node) : null,
          ...(typeof fulfilment === 'string' && { fulfilment: fulfilmentId(id, fulfilment) }),
        });
        return {
          id,
          expectedVersion: wording.versionOf(id) ?? version,
          moves: moves.map(({ from, to }) => ({
            ...(from.line !== undefined && { line: from.line }),
            ...(from.sku !== undefined && { sku: skuOf(from.sku) }),
            quantity: from.quantity,
            from: at(from),
            to: { ...at(to), node: nodeCode(to.node) },
          })),
        };
      },
    );
    const override = command.isByHand ? ({ override: 'by_hand' } as const) : {};
    return async (engine) => {
      const answer = await allocate(engine, commandId, [reservations], override);
      return answer.ok ? (answer.value[0] ?? answer) : answer;
    };
  }
  const id = wording.reservation(command.reservation);
  const unitsOf = ({ line, sku, node, fulfilment, quantity }: Which): Part => ({
    ...(line !== undefined && { line }),
    ...(sku !== undefined && { sku: skuOf(sku) }),
    ...(typeof node === 'number' && { node: nodeCode(node) }),
    ...(typeof fulfilment === 'string' && { fulfilment: fulfilmentId(id, fulfilment) }),
    quantity,
  });
  const ofFulfilment = (units: Which) => {
    const { node: _, fulfilment = '', ...part } = unitsOf(units);
    return { ...part, fulfilment };
  };
  switch (command.kind) {
    case 'hold': {
      const { channel, lines, allowPartial, isSold, priority } = command;
      const asked = lines.map(({ id: line, sku, quantity, nodes, mayWait = false }) => ({
        ...{ id: line, sku: skuOf(sku), quantity },
        ...places(nodes),
        ...(mayWait && { mayWait }),
      }));
      const sold = isSold ? ({ override: 'sold' } as const) : {};
      const request = { id, channel: channelCode(channel), lines: asked, allowPartial, priority, ...sold };
      return (engine) => engine.hold(SPEC, { ...request, expiresInSeconds: HELD_FOR_SECONDS });
    }
    case 'confirm':
      return (engine) => act(engine, id, 'confirm', { commandId, reacquire: command.reacquire });
    case 'extend':
      return (engine) => act(engine, id, 'extend', { commandId, expiresInSeconds: 2 * HELD_FOR_SECONDS });
    case 'leave': {
      const { verb, parts } = command;
      const lines = parts === null ? {} : { lines: parts.map(unitsOf) };
      const time = verb === 'fulfil' ? { occurredAt } : {};
      return (engine) => act(engine, id, verb, { commandId, ...lines, ...time });
    }
    case 'amend': {
      const { version, channel, isByHand } = command;
      const expectedVersion = wording.versionOf(id) ?? version;
      const lines = command.lines.map(({ id: line, sku, quantity, nodes }): AmendedLine => ({
        ...{ id: line, sku: skuOf(sku), quantity },
        ...places(nodes),
      }));
      const to = channel === null ? {} : { channel: channelCode(channel) };
      const override = isByHand ? ({ override: 'by_hand' } as const) : {};
      return (engine) => act(engine, id, 'amend', { commandId, expectedVersion, lines, ...to, ...override });
    }
    case 'acknowledge': {
      const body = { commandId, ...ofFulfilment(command.units), stage: command.stage, occurredAt };
      return (engine) => act(engine, id, 'acknowledge', body);
    }
    case 'reject': {
      const { effect, moveTo, isByHand } = command;
      const to = moveTo && {
        node: nodeCode(moveTo.node),
        ...(moveTo.fulfilment !== null && { fulfilment: fulfilmentId(id, moveTo.fulfilment) }),
      };
      const override = isByHand ? ({ override: 'by_hand' } as const) : {};
      const body = { ...ofFulfilment(command.units), effect, ...(to && { moveTo: to }), ...override, occurredAt };
      return (engine) => act(engine, id, 'reject', { commandId, ...body });
    }
    case 'give-up':
      return (engine) => act(engine, id, 'give-up', { commandId, lines: command.parts.map(unitsOf) });
    case 'unfulfil': {
      const lines = command.parts.map(unitsOf);
      return (engine) => act(engine, id, 'unfulfil', { commandId, lines, occurredAt });
    }
    case 'attach': {
      // An order has one reservation.
      const named = (order: string | null): string | null => (order === null ? null : `${id}.${order}`);
      const body = { order: named(command.order), expectedOrder: named(command.expected) };
      return (engine) => act(engine, id, 'attach', { commandId, ...body });
    }
  }
}
