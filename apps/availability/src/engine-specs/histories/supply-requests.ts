/** What comes to nodes and leaves them, as callers say it. */
import type { ReceiptRequest, ShipRequest } from '@onepool/contracts';
import type { Command } from '@onepool/stock-domain/testing';
import { SPEC } from '../../testing/pool-fixture.ts';
import { type Request, type Wording, fulfilmentId } from './requests.ts';
import { TO_INSPECTION, nodeCode, skuCode } from './stage.ts';

export type SupplyCommand = Extract<Command, { kind: 'announce' | 'receive' | 'ship' }>;
type Of<K extends SupplyCommand['kind']> = Extract<SupplyCommand, { kind: K }>;

/** All receipts of a history are lines of one, and its transfers of another. */
export const inboundId = (history: number, brings: 'receipt' | 'transfer'): string => `h${history}-${brings}`;
export const lineId = (line: number): string => String(line);

/** No line is due before a history is over, unless the database is told so. */
const FAR = Date.UTC(2099, 0);
const MS_EACH = 1_000;
const dueAtOf = (dueAt: number | null): string | null =>
  dueAt === null ? null : new Date(FAR + dueAt * MS_EACH).toISOString();

export function supplyRequestOf(command: SupplyCommand, wording: Wording): Request {
  switch (command.kind) {
    case 'announce':
      return announced(command, wording);
    case 'receive':
      return received(command, wording);
    case 'ship':
      return shipped(command, wording);
  }
}

function announced(command: Of<'announce'>, { history }: Wording): Request {
  const { line, sku, node, dueAt, received: before, units, isClosed } = command;
  const place = { id: lineId(line), sku: skuCode(history, sku), node: nodeCode(node) };
  const lines = [{ ...place, quantity: before + units, dueAt: dueAtOf(dueAt), closed: isClosed }];
  return (engine) => engine.putInbound(SPEC, { id: inboundId(history, 'receipt'), lines });
}

function received(command: Of<'receive'>, { history, id, occurredAt }: Wording): Request {
  const { sku, node, line, units, damaged, toInspection, closes } = command;
  const arrived = { quantity: units, ...(damaged === null ? {} : { damaged }) };
  const request: ReceiptRequest = {
    ...{ id, source: 'wms', occurredAt },
    ...(toInspection ? { reason: TO_INSPECTION } : {}),
    ...(line === null ? {} : { inbound: inboundId(history, line.brings) }),
    lines:
      line === null
        ? [{ sku: skuCode(history, sku), node: nodeCode(node), ...arrived }]
        : [{ line: lineId(line.detail), ...arrived, ...(closes ? { closes } : {}) }],
  };
  return (engine) => engine.receive(SPEC, request);
}

function shipped(command: Of<'ship'>, { history, id, occurredAt, reservation }: Wording): Request {
  const { sku, from, to, line, isNew, dueAt, units, state, rider } = command;
  const riders = rider ? { riders: [riderOf(rider, reservation)] } : {};
  const request: ShipRequest = {
    ...{ id, source: 'wms', occurredAt, transfer: inboundId(history, 'transfer'), from: nodeCode(from) },
    lines: [
      {
        ...{ line: lineId(line), sku: skuCode(history, sku), to: nodeCode(to), quantity: units },
        ...(state === null ? {} : { state }),
        ...(isNew ? { dueAt: dueAtOf(dueAt) } : {}),
        ...riders,
      },
    ],
  };
  return (engine) => engine.ship(SPEC, request);
}

function riderOf(rider: NonNullable<Of<'ship'>['rider']>, idOf: Wording['reservation']) {
  const { line, fulfilment, quantity } = rider.units;
  const reservation = idOf(rider.reservation);
  const named = fulfilmentId(reservation, fulfilment ?? '');
  return { reservation, fulfilment: named, quantity, ...(line === undefined ? {} : { line }) };
}
