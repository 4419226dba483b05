import { beforeEach, describe, expect, it } from '@jest/globals';
import { IdentityCache } from './identity-cache.ts';
import type { FoundIdentity, IdentityAnswer, IdentityBeat, IdentityQuestion } from './identity-source.ts';

const SHOP = 'prn_shop22222222';
const found = (principal = SHOP): FoundIdentity => ({
  principal,
  kind: 'service',
  grants: [{ scopes: ['all'], nodes: null, channels: null }],
  expiresAt: null,
});
const key = (name: string) => ({ sha256: name.padEnd(64, '0') });
const GOOD = key('a');
const BAD = key('b');

let timeMs: number;
let epoch: number;
let incarnation: string;
let known: Map<string, FoundIdentity>;
let asked: IdentityQuestion[];
/** What the next questions wait for. */
let answering: Promise<void>;
let failure: Error | null;
let beat: (more?: Partial<IdentityBeat>, sentAtMs?: number) => void;
let cache: IdentityCache;

beforeEach(() => {
  [timeMs, epoch, incarnation, asked, failure] = [0, 7, 'one', [], null];
  known = new Map([[GOOD.sha256, found()]]);
  answering = Promise.resolve();
  const ask = async (question: IdentityQuestion): Promise<IdentityAnswer> => {
    asked.push(question);
    const name = 'sha256' in question ? question.sha256 : question.person;
    const answer = { incarnation, epoch, found: known.get(name) ?? null };
    await answering;
    if (failure) throw failure;
    return answer;
  };
  const watch = (onBeat: (told: IdentityBeat, sentAtMs: number) => void) => {
    beat = (more = {}, sentAtMs = timeMs) =>
      onBeat({ incarnation, epoch, since: epoch - 1, touched: [{ epoch, principals: [] }], ...more }, sentAtMs);
    return { stop: async () => undefined };
  };
  cache = new IdentityCache({ ask, watch }, { monotonic: () => timeMs });
  cache.start();
  beat();
});

/** A change of the identity that concerns `principals`, with its beat. */
function change(principals: readonly string[] | null): void {
  epoch += 1;
  beat({ touched: [{ epoch, principals }] });
}

describe('what is remembered of keys', () => {
  it('is asked for once, and concurrent questions are one', async () => {
    const both = await Promise.all([cache.find(GOOD), cache.find(GOOD)]);
    expect(both).toEqual([found(), found()]);
    expect(cache.peek(GOOD)).toEqual(found());
    expect(asked).toEqual([GOOD]);
  });

  it('is forgotten with the beat that tells of a change of its principal, and with no other', async () => {
    await cache.find(GOOD);
    change(['prn_other2222222']);
    expect(cache.peek(GOOD)).toEqual(found());
    known.delete(GOOD.sha256);
    change([SHOP]);
    expect(cache.peek(GOOD)).toBeUndefined();
    expect(await cache.find(GOOD)).toBeNull();
  });

  it('is forgotten whole when a step may concern anybody, when steps were missed, and after a restore', async () => {
    for (const step of [
      () => change(null),
      () => ((epoch += 3), beat()),
      () => ((incarnation = 'two'), (epoch = 2), beat()),
    ]) {
      await cache.find(GOOD);
      expect(cache.peek(GOOD)).toBeDefined();
      step();
      expect(cache.peek(GOOD)).toBeUndefined();
    }
  });

  it('survives a beat of a replica that lags, which confirms nothing', async () => {
    await cache.find(GOOD);
    timeMs = 900;
    beat({ epoch: 6, since: 5, touched: [] });
    expect(cache.peek(GOOD)).toBeDefined();
    expect(cache.ageMs).toBe(900);
  });

  it('is forgotten when nothing but a lower epoch is heard any more', async () => {
    await cache.find(GOOD);
    timeMs = 1_001;
    epoch = 3;
    beat();
    expect(cache.peek(GOOD)).toBeUndefined();
    expect(cache.ageMs).toBe(0);
  });
});

describe('an answer that was overtaken by a change', () => {
  it('is used for nobody, and asked for again', async () => {
    let answer = (): void => undefined;
    answering = new Promise((resolve) => (answer = resolve));
    const waiting = cache.find(GOOD);
    known.delete(GOOD.sha256);
    change([SHOP]);
    answer();
    expect(await waiting).toBeNull();
    expect(asked).toEqual([GOOD, GOOD]);
  });

  it('that never comes in time is refused', async () => {
    answering = { then: (resolve: () => void) => (change([SHOP]), resolve()) } as unknown as Promise<void>;
    await expect(cache.find(GOOD)).rejects.toMatchObject({ code: 'identity.unavailable', status: 503 });
    expect(asked).toHaveLength(3);
  });
});

describe('an unknown key', () => {
  it('is asked for once a second at most', async () => {
    await cache.find(BAD);
    timeMs = 999;
    expect(cache.peek(BAD)).toBeNull();
    timeMs = 1_000;
    expect(cache.peek(BAD)).toBeUndefined();
  });

  it('pushes no known key out, however many are tried', async () => {
    await cache.find(GOOD);
    for (let n = 0; n < 2_000; n += 1) await cache.find(key(`c${n}`));
    expect(cache.peek(GOOD)).toBeDefined();
    expect(cache.peek(key('c0'))).toBeUndefined();
    expect(cache.peek(key('c1999'))).toBeNull();
  });
});

describe('while nobody tells the version', () => {
  beforeEach(async () => {
    await cache.find(GOOD);
    failure = new Error('nats://user:secret@10.0.0.7 is down');
  });

  it('a known key stays good for five minutes after the last second, counted from the last beat and not from its own look-up', async () => {
    timeMs = 3_600_000;
    beat();
    timeMs += 301_000;
    expect(cache.peek(GOOD)).toEqual(found());
    timeMs += 1;
    expect(cache.peek(GOOD)).toBeUndefined();
    await expect(cache.find(GOOD)).rejects.toMatchObject({ code: 'identity.unavailable', status: 503 });
  });

  it('an unknown one is refused as unavailable, again and again, without a word of why', async () => {
    timeMs = 2_000;
    for (const _ of [1, 2]) {
      const refusal = await cache.find(BAD).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: 'identity.unavailable', retryable: true });
      expect(JSON.stringify((refusal as { toProblem(): unknown }).toProblem())).not.toContain('secret');
    }
  });

  it('everybody is known again with the first beat, as far as nothing changed', () => {
    timeMs = 400_000;
    beat();
    expect(cache.peek(GOOD)).toEqual(found());
    timeMs = 800_000;
    change([SHOP]);
    expect(cache.peek(GOOD)).toBeUndefined();
  });

  it('an answer that comes all the same confirms the version, and forgets the others if it is another', async () => {
    failure = null;
    timeMs = 2_000;
    await cache.find(BAD);
    expect(cache.ageMs).toBe(0);
    expect(cache.peek(GOOD)).toBeDefined();
    timeMs = 4_000;
    epoch += 1;
    await cache.find(key('c'));
    expect(cache.peek(GOOD)).toBeUndefined();
  });
});

describe('the keys that were used', () => {
  let noted: (readonly string[])[];
  const note = async (keys: readonly string[]): Promise<void> => void noted.push(keys);
  beforeEach(() => {
    noted = [];
  });

  it('are told once, and persons are not among them', async () => {
    const person = { person: 'prn_clerk2222222' };
    known.set(person.person, found(person.person));
    for (const question of [GOOD, BAD, person]) {
      await cache.find(question);
      cache.peek(question);
    }
    await cache.noteUse(note);
    await cache.noteUse(note);
    expect(noted).toEqual([[GOOD.sha256]]);
  });

  it('are told although they were forgotten since, for whatever reason', async () => {
    for (const forget of [() => change([SHOP]), () => change(null), () => ((incarnation = 'two'), beat())]) {
      await cache.find(GOOD);
      forget();
      expect(cache.peek(GOOD)).toBeUndefined();
      await cache.noteUse(note);
    }
    expect(noted).toEqual([[GOOD.sha256], [GOOD.sha256], [GOOD.sha256]]);
  });

  it('are told with those that others used', async () => {
    cache.markUsed(BAD.sha256);
    await cache.noteUse(note);
    await cache.noteUse(note);
    expect(noted).toEqual([[BAD.sha256]]);
  });

  it('are told again when they could not be noted', async () => {
    await cache.find(GOOD);
    await expect(cache.noteUse(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
    await cache.noteUse(note);
    expect(noted).toEqual([[GOOD.sha256]]);
  });
});
