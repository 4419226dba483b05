import type { Verdict } from '@onepool/platform-auth';
import { ProblemError } from '@onepool/platform-problem';

/** Far below the second within which a revoked key stops. */
const LOOK_EVERY_MS = 250;

/**
 * A body that is read for minutes, for as long as its caller may send it: `judge` decides about the caller again and again, also
 * while nothing arrives. A refusal ends the reading with that problem; so does `left`, once the caller waits for no answer any
 * more, with its reason, even if all of the body has come: a few bytes may expand to very many.
 */
export async function* whileAdmitted(
  body: AsyncIterable<Uint8Array>,
  judge: () => Verdict | Promise<Verdict>,
  left?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const pieces = body[Symbol.asyncIterator]();
  let refusal: Error | undefined;
  /** Set while a piece is waited for. */
  let giveUp: ((refusal: Error) => void) | undefined;
  const leave = (): void => {
    refusal ??= left?.reason as Error;
    giveUp?.(refusal);
  };
  if (left?.aborted) leave();
  left?.addEventListener('abort', leave, { once: true });
  const look = async (): Promise<void> => {
    const verdict = await judge();
    if (!(verdict instanceof ProblemError)) return;
    refusal = verdict;
    giveUp?.(refusal);
  };
  // Not a race against one promise of the refusal, which would keep every piece until the end.
  const nextPiece = (): Promise<IteratorResult<Uint8Array>> =>
    new Promise((resolve, reject) => {
      if (refusal) return reject(refusal);
      giveUp = reject;
      pieces.next().then(resolve, reject);
    });
  const looking = setInterval(() => void look(), LOOK_EVERY_MS).unref();
  try {
    for (;;) {
      const piece = await nextPiece();
      giveUp = undefined;
      if (piece.done) return;
      yield piece.value;
    }
  } finally {
    // What is left is neither read nor destroyed, for a request that is destroyed counts as one whose caller went away: the
    // connection ends with the answer, and whatever reads from it ends with that.
    clearInterval(looking);
    left?.removeEventListener('abort', leave);
  }
}
