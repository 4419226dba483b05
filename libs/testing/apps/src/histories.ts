/** How many histories a spec of the domain plays, and from which seed: a domain knows no environment, so it is given as a global. */
const { ONEPOOL_HISTORIES = '300', ONEPOOL_SEED } = process.env;

Object.assign(globalThis, {
  HISTORIES: { numRuns: Number(ONEPOOL_HISTORIES), ...(ONEPOOL_SEED && { seed: Number(ONEPOOL_SEED) }) },
});
