/** Compiled validators of every operation, made once at start-up. */
import { AVAILABILITY_OPERATIONS as operations, Channel, Node, Sku } from '@onepool/contracts';
import { compileQuerySchema, compileSchema } from '@onepool/platform-problem';

export const bodies = {
  putSkus: compileSchema(operations.putSkus.body),
  putNodes: compileSchema(operations.putNodes.body),
  putChannels: compileSchema(operations.putChannels.body),
  putThresholds: compileSchema(operations.putThresholds.body),
  hold: compileSchema(operations.hold.body),
  extend: compileSchema(operations.extend.body),
  confirm: compileSchema(operations.confirm.body),
  reback: compileSchema(operations.reback.body),
  fulfil: compileSchema(operations.fulfil.body),
  release: compileSchema(operations.release.body),
  cancel: compileSchema(operations.cancel.body),
  recordMovements: compileSchema(operations.recordMovements.body),
  queryAtp: compileSchema(operations.queryAtp.body),
  verifyLedger: compileSchema(operations.verifyLedger.body),
};

export const queries = {
  page: compileQuerySchema(operations.listSkus.query),
  thresholdPage: compileQuerySchema(operations.listThresholds.query),
  ledgerPage: compileQuerySchema(operations.listLedger.query),
  feed: compileQuerySchema(operations.sendFeed.query),
  feedRefusalPage: compileQuerySchema(operations.listFeedRefusals.query),
  exceptionPage: compileQuerySchema(operations.listExceptions.query),
  atp: compileQuerySchema(operations.getAtp.query),
  countEvents: compileQuerySchema(operations.countEvents.query),
};

export const params = {
  sku: compileQuerySchema(operations.getAtp.params),
  reservation: compileQuerySchema(operations.getReservation.params),
  feed: compileQuerySchema(operations.getFeed.params),
};

export const rows = { sku: compileSchema(Sku), node: compileSchema(Node), channel: compileSchema(Channel) };
