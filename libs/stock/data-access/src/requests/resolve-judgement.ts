/** Turns a request that judges inspections into commands, one for each. */
import type { JudgeInspections } from '@onepool/contracts';
import { type Judgement, type SellingRules, accept, reject } from '@onepool/stock-domain';
import { type InspectionPlace, inspectionKey } from '../repository/inspections.ts';
import type { JudgeCommand } from './command.ts';
import { type Answer, refuse } from './refusal.ts';
import { type Caller, beyond, bodyHash } from './resolve.ts';

type Asked = JudgeInspections['judgements'][number];

const judgementOf = (asked: Asked): Judgement => {
  if ('all' in asked) return { all: asked.all };
  const { approved, rejected = 0 } = asked;
  return { approved, rejected };
};

/** The hash of the whole request, as of an allocation. */
export const judgementsHash = ({ judgements }: JudgeInspections): Buffer =>
  bodyHash([
    'judge',
    judgements.map((asked) => {
      const judgement = judgementOf(asked);
      const told = 'all' in judgement ? [judgement.all] : [judgement.approved, judgement.rejected];
      return [asked.inspection, ...told];
    }),
  ]);

/** What the judgements of a request have in common. */
export interface JudgingContext {
  readonly caller: Caller;
  readonly request: JudgeInspections;
  readonly hash: Buffer;
  readonly rules: SellingRules;
  readonly places: ReadonlyMap<number, InspectionPlace>;
}

/** `index` is that of the judgement in the request, from 0. */
export function resolveJudgement(
  { caller, request: { id, judgements }, hash, rules, places }: JudgingContext,
  index: number,
): Answer<JudgeCommand> {
  const asked = judgements[index];
  if (!asked) throw new Error(`Broken invariant: the request has no judgement ${index}`);
  const { actor, person, trace, sourceKey } = caller;
  const key = inspectionKey(asked.inspection);
  const place = places.get(key);
  if (!place) return refuse('inspection.unknown', { inspection: asked.inspection });
  const node = rules.nodes.get(place.node);
  // The rules at hand may be older than the node.
  if (!node) return refuse('node.unknown', { inspection: asked.inspection });
  const forbidden = beyond(caller, { kind: 'node_work', nodes: [node.code] });
  if (forbidden) return reject(forbidden);
  return accept({
    kind: 'judge',
    ...{ id, actor, person, trace, sourceKey, bodyHash: hash },
    group: judgements.length === 1 ? 0 : index + 1,
    skus: [place.sku],
    inspection: key,
    judgement: judgementOf(asked),
  });
}
