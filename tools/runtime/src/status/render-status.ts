import Table from 'cli-table3';
import type { ProcessStatus, SystemStatus } from './system-status.ts';

/** The status as text for people. */
export function renderStatus(status: SystemStatus): string {
  const { isRunning, home, onepool, node, processes, relay, urls, apiKeyFile, logs } = status;
  if (!isRunning) return `Nothing runs on ${home}; \`npm start\` starts it.`;
  const table = new Table({
    head: ['process', 'pid', 'port', 'up', 'restarts', 'MB', 'version', 'health'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'left', 'left'],
    style: { head: [], border: [], compact: true },
  });
  table.push(...processes.map(row));
  const facts: readonly (readonly [string, string])[] = [
    ['Onepool', `${onepool}, Node ${node}`],
    ...Object.entries(urls).map(([app, addresses]) => [app, addresses.join('  ')] as const),
    [
      'relay',
      relay ? `${relay.backlogFacts} facts wait, the oldest for ${relay.lagSeconds.toFixed(1)} s` : 'not known',
    ],
    ['API key', apiKeyFile],
    ['logs', logs],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  return `${table.toString()}\n${facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')}`;
}

function row({ name, pid, port, upSeconds, restarts, memoryMb, version, text }: ProcessStatus): string[] {
  const cell = (value: number | undefined): string => (value === undefined ? '' : String(value));
  const up = upSeconds === undefined ? '' : duration(upSeconds);
  return [
    name,
    cell(pid),
    cell(port),
    up,
    pid === undefined ? '' : cell(restarts),
    cell(memoryMb),
    version ?? '',
    text,
  ];
}

/** `42 s`, `7 min`, `3 h 5 min`, `2 d 4 h`: as exact as anybody asks. */
export function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes === 0) return `${seconds} s`;
  if (hours === 0) return `${minutes} min`;
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
