/**
 * Loaded before Jest, as by `node --import`: specs and what they try are loaded by Node itself, from sources, and once for all specs
 * of a worker. Jest's own way makes a new realm for each file and compiles in it whatever the file imports, which was half of a run.
 */
import { registerHooks } from 'node:module';
import './from-source.ts';
import { isWorker, keepWorkerData } from './early-worker-data.ts';

if (isWorker(process)) {
  keepWorkerData(process);
  // What a failed spec has left open would keep a worker alive when the run is over.
  process.once('disconnect', () => process.exit());
}

const globals = new URL('./jest-globals.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    // The package of this name is for its types; what it stands for is made by whoever runs the specs.
    return specifier === '@jest/globals'
      ? { url: globals, format: 'module', shortCircuit: true }
      : next(specifier, context);
  },
});
