/** The verbs on a reservation, and the same on many of them. */
import type { TObject } from '@sinclair/typebox';
import { requestSubject } from '../shared/module-contract.ts';
import { post } from '../shared/operation.ts';
import { closed } from '../shared/primitives.ts';
import { STOCK_SCOPE } from './facts.ts';
import type { AVAILABILITY_PROBLEMS } from './problems.ts';
import {
  AcknowledgeRequest,
  AmendRequest,
  AttachRequest,
  CancelRequest,
  ConfirmRequest,
  ExtendRequest,
  FulfilRequest,
  GiveUpRequest,
  HoldRequest,
  RejectRequest,
  ReleaseRequest,
  Reservation,
  UnfulfilRequest,
  verbItems,
  verbResults,
} from './reservations.ts';

type Code = keyof typeof AVAILABILITY_PROBLEMS;

const rpc = (name: string): string => requestSubject(STOCK_SCOPE, name);
const reservationParam = closed({ id: HoldRequest.properties.id });

/** What may stand in the way of any verb, besides what a verb names itself. */
const OF_ANY_VERB = ['reservation.unknown', 'reservation.attached', 'idempotency.mismatch'] as const;

const verb = <B extends TObject, P extends Code>(name: string, summary: string, body: B, problems: readonly P[]) => ({
  summary,
  http: post(`/v1/reservations/{id}/${name}`),
  subject: rpc(`reservation.${name}`),
  idempotency: 'commandId' as const,
  scope: 'reservations:write' as const,
  moreWith: ['reservations:any'] as const,
  params: reservationParam,
  body,
  response: Reservation,
  problems: [...OF_ANY_VERB, 'outcome.unknown' as const, ...problems],
});

export const RESERVATION_VERBS = {
  extend: verb('extend', 'Extend a hold', ExtendRequest, [
    'reservation.expired',
    'reservation.extend_limit',
    'reservation.not_held',
    'channel.forbidden',
  ]),
  confirm: verb('confirm', 'Confirm held units', ConfirmRequest, [
    'channel.forbidden',
    'reservation.expired',
    'reservation.not_held',
    'stock.insufficient',
  ]),
  attach: verb('attach', 'Attach an order', AttachRequest, [
    'channel.forbidden',
    'order.has_reservation',
    'reservation.expired',
    'reservation.not_held',
    'stock.insufficient',
  ]),
  amend: {
    ...verb('amend', 'Amend a reservation', AmendRequest, [
      'channel.forbidden',
      'channel.unknown',
      'node.unknown',
      'sku.unknown',
      'line.duplicate',
      'reservation.conflict',
      'reservation.not_held',
      'reservation.pinned',
      'reservation.units_missing',
      'stock.insufficient',
    ]),
    description: 'All or nothing. What is kept stays where it is, and is never given up to be won again.',
    moreWith: ['reservations:any', 'stock:override'],
  },
  acknowledge: {
    ...verb('acknowledge', 'Tell how far a node is', AcknowledgeRequest, [
      'node.forbidden',
      'sku.unknown',
      'reservation.units_missing',
    ]),
    description: 'Told at each stage. Counts of availability leave out the units that their source has deducted.',
    saysSentAt: true,
  },
  reject: {
    ...verb('reject', 'Refuse units at a node', RejectRequest, [
      'node.forbidden',
      'node.unknown',
      'sku.unknown',
      'reservation.units_missing',
      'stock.insufficient',
    ]),
    description:
      'The units leave the node, and what it says of its stock takes effect at once. They stay promised: at another node, or at none until they are allocated.',
    moreWith: ['reservations:any', 'stock:override'],
    saysSentAt: true,
  },
  giveUp: verb('give-up', 'Give units up', GiveUpRequest, [
    'channel.forbidden',
    'node.unknown',
    'sku.unknown',
    'reservation.units_missing',
  ]),
  unfulfil: {
    ...verb('unfulfil', 'Undo a shipment', UnfulfilRequest, [
      'node.forbidden',
      'node.unknown',
      'sku.unknown',
      'reservation.units_missing',
    ]),
    saysSentAt: true,
  },
  fulfil: {
    ...verb('fulfil', 'Fulfil confirmed units', FulfilRequest, [
      'node.forbidden',
      'reservation.not_confirmed',
      'sku.unknown',
      'node.unknown',
    ]),
    saysSentAt: true,
  },
  release: verb('release', 'Release held units', ReleaseRequest, [
    'channel.forbidden',
    'reservation.not_held',
    'reservation.expired',
    'sku.unknown',
    'node.unknown',
  ]),
  cancel: verb('cancel', 'Cancel confirmed units', CancelRequest, [
    'channel.forbidden',
    'reservation.not_confirmed',
    'sku.unknown',
    'node.unknown',
  ]),
} as const;

interface SingleVerb {
  readonly subject: string;
  readonly body: TObject;
  readonly problems: readonly (Code | 'outcome.unknown')[];
  readonly moreWith: readonly ('reservations:any' | 'stock:override')[];
  readonly saysSentAt?: true;
}

/** The same verb on many reservations. */
const many = <V extends SingleVerb>(summary: string, { subject, body, problems, moreWith, saysSentAt }: V) => {
  const refusals = problems.filter((code) => code !== 'outcome.unknown');
  const verb = /[^.]+(?=\.v1$)/.exec(subject)?.[0] ?? '';
  return {
    summary,
    description: 'Each item is decided by itself, as the verb decides one, and has its own result.',
    http: post(`/v1/reservations.many/${verb}`),
    subject: rpc(`reservation.${verb}.many`),
    idempotency: 'natural' as const,
    scope: 'reservations:write' as const,
    moreWith,
    ...(saysSentAt ? { saysSentAt } : {}),
    body: verbItems<V['body']>(body),
    response: verbResults(refusals),
    problems: ['bulk.too_large' as const, 'outcome.unknown' as const],
    problemsInAnswer: refusals,
  };
};

const { extend, confirm, attach, amend, acknowledge, reject, giveUp, unfulfil, fulfil, release, cancel } =
  RESERVATION_VERBS;

export const RESERVATION_VERBS_MANY = {
  extendMany: many('Extend holds', extend),
  confirmMany: many('Confirm held units of many', confirm),
  attachMany: many('Attach orders', attach),
  amendMany: many('Amend reservations', amend),
  acknowledgeMany: many('Tell how far nodes are', acknowledge),
  rejectMany: many('Refuse units of many', reject),
  giveUpMany: many('Give units of many up', giveUp),
  fulfilMany: many('Fulfil units of many', fulfil),
  unfulfilMany: many('Undo shipments', unfulfil),
  releaseMany: many('Release held units of many', release),
  cancelMany: many('Cancel units of many', cancel),
} as const;

// Named, so that documents refer to them.
export const ExtendManyRequest = RESERVATION_VERBS_MANY.extendMany.body;
export const ExtendManyResult = RESERVATION_VERBS_MANY.extendMany.response;
export const ConfirmManyRequest = RESERVATION_VERBS_MANY.confirmMany.body;
export const ConfirmManyResult = RESERVATION_VERBS_MANY.confirmMany.response;
export const AttachManyRequest = RESERVATION_VERBS_MANY.attachMany.body;
export const AttachManyResult = RESERVATION_VERBS_MANY.attachMany.response;
export const AmendManyRequest = RESERVATION_VERBS_MANY.amendMany.body;
export const AmendManyResult = RESERVATION_VERBS_MANY.amendMany.response;
export const AcknowledgeManyRequest = RESERVATION_VERBS_MANY.acknowledgeMany.body;
export const AcknowledgeManyResult = RESERVATION_VERBS_MANY.acknowledgeMany.response;
export const RejectManyRequest = RESERVATION_VERBS_MANY.rejectMany.body;
export const RejectManyResult = RESERVATION_VERBS_MANY.rejectMany.response;
export const GiveUpManyRequest = RESERVATION_VERBS_MANY.giveUpMany.body;
export const GiveUpManyResult = RESERVATION_VERBS_MANY.giveUpMany.response;
export const UnfulfilManyRequest = RESERVATION_VERBS_MANY.unfulfilMany.body;
export const UnfulfilManyResult = RESERVATION_VERBS_MANY.unfulfilMany.response;
export const FulfilManyRequest = RESERVATION_VERBS_MANY.fulfilMany.body;
export const FulfilManyResult = RESERVATION_VERBS_MANY.fulfilMany.response;
export const ReleaseManyRequest = RESERVATION_VERBS_MANY.releaseMany.body;
export const ReleaseManyResult = RESERVATION_VERBS_MANY.releaseMany.response;
export const CancelManyRequest = RESERVATION_VERBS_MANY.cancelMany.body;
export const CancelManyResult = RESERVATION_VERBS_MANY.cancelMany.response;
