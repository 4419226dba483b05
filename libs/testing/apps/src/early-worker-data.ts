/**
 * The runner's workers ask for the configuration when they begin, and whoever asks first has it sent to all, once. A worker that is
 * slower to start would miss it, ask, and wait for ever; so what comes early is kept until the worker asks.
 */
type Worker = Pick<NodeJS.Process, 'on' | 'emit' | 'send'>;

const QUESTION = 'jest-light-runner-get-worker-data';
const ANSWER = 'jest-light-runner-worker-data';

/** Of a process that is a worker; others have no use for it. */
export const isWorker = ({ argv, send }: Pick<NodeJS.Process, 'argv' | 'send'>): boolean =>
  send !== undefined && /[\\/]tinypool[\\/]dist[\\/]/.test(argv[1] ?? '');

export function keepWorkerData(worker: Worker): void {
  let early: unknown;
  worker.on('message', (message: { readonly type?: unknown } | null) => {
    if (message?.type === ANSWER) early = message;
  });
  const send = worker.send as (message: unknown, ...more: unknown[]) => boolean;
  worker.send = (message: unknown, ...more: unknown[]): boolean => {
    const isSent = send.call(worker, message, ...more);
    if (message === QUESTION && early !== undefined) setImmediate(() => worker.emit('message', early, undefined));
    return isSent;
  };
}
