import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { isWorker, keepWorkerData } from './early-worker-data.ts';

const DATA = { type: 'jest-light-runner-worker-data', workerData: { rootDir: '/' } };
const ASK = 'jest-light-runner-get-worker-data';

function startedWorker() {
  const sent: unknown[] = [];
  const worker = Object.assign(new EventEmitter(), { send: (message: unknown) => sent.push(message) > 0 });
  keepWorkerData(worker as unknown as NodeJS.Process);
  const ask = async (): Promise<readonly unknown[]> => {
    const got: unknown[] = [];
    worker.on('message', (message) => got.push(message));
    worker.send(ASK);
    await new Promise((resolve) => setImmediate(resolve));
    return got;
  };
  return { worker, sent, ask };
}

describe('a worker', () => {
  it('that asks after the answer has come is told it again', async () => {
    const { worker, ask, sent } = startedWorker();
    worker.emit('message', DATA);
    expect(await ask()).toEqual([DATA]);
    expect(sent).toEqual([ASK]);
  });

  it('that asks first waits for its answer', async () => {
    const { worker, ask } = startedWorker();
    worker.emit('message', { type: 'another' });
    expect(await ask()).toEqual([]);
  });

  it('is a process of the pool of workers, and no other', () => {
    const send = () => true;
    expect(isWorker({ argv: ['node', '/x/node_modules/tinypool/dist/esm/process.js'], send })).toBe(true);
    expect(isWorker({ argv: ['node', '/x/node_modules/tinypool/dist/esm/process.js'] })).toBe(false);
    expect(isWorker({ argv: ['node', '/x/apps/availability/src/main.ts'], send })).toBe(false);
    // Whoever has but one runs the specs itself.
    expect(isWorker(process)).toBe(process.send !== undefined);
  });
});
