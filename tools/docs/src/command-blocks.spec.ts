import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type CommandBlock, type Fence, fencesOf, tagFault } from './command-blocks.ts';
import { commandFaults, commandsOf, optionsOfScripts } from './command-faults.ts';
import { pagesToRun, runScript, scriptOf } from './run-blocks.ts';

const root = join(import.meta.dirname, '../../..');
const fence = (info: string, text = ''): Fence => ({
  page: 'a.md',
  line: 1,
  info: info.split(' ').filter(Boolean),
  text,
});
const block = (text: string, more: Partial<CommandBlock> = {}): CommandBlock => ({
  ...fence('sh run', text),
  kind: 'run',
  isRefused: false,
  ...more,
});

describe('fences', () => {
  it('are found with their line and every word after the backticks', () => {
    const page = 'Text.\n\n```sh run\nls\n```\n\n````md\n```\nnot one\n```\n````\n';
    expect(fencesOf('a.md', page)).toEqual([
      { page: 'a.md', line: 3, info: ['sh', 'run'], text: 'ls' },
      { page: 'a.md', line: 7, info: ['md'], text: '```\nnot one\n```' },
    ]);
  });

  it.each([
    ['sh run', undefined],
    ['sh verify', undefined],
    ['sh example', undefined],
    ['sh run refused', undefined],
    ['ts', undefined],
    ['text', undefined],
    ['', 'a block names its language'],
    ['sh', '`sh` is followed by run, verify, example, not by nothing'],
    ['sh once', 'not by once'],
    ['bash run', 'commands are tagged `sh`, not `bash`'],
    ['sh example refused', '`refused` says nothing here'],
    ['sh run twice', '`twice` says nothing here'],
  ])('tagged %j: %s', (info, fault) => {
    if (fault === undefined) expect(tagFault(fence(info))).toBeUndefined();
    else expect(tagFault(fence(info))).toContain(fault);
  });
});

describe('commands', () => {
  it('are read apart, without comments and quoted text', () => {
    expect(commandsOf('a b # c\nNAME=1 npm start | d "e; f" && (g \\\n h)\n')).toEqual([
      ['a', 'b'],
      ['NAME=1', 'npm', 'start'],
      ['d', "''"],
      ['g', 'h'],
    ]);
  });

  const scripts = optionsOfScripts(root);
  it.each([
    ['npm run load -- flash-sale --json sale.json', []],
    ['npm start -- --replicas availability=2', []],
    ['npm test -- atp', []],
    ['npm run loda -- smoke', ['npm run loda: there is no such script']],
    ['npm run load -- smoke --quik', ['load -- --quik: there is no such option']],
    ['npm start --no-seed', ['start --no-seed: npm keeps it for itself; put -- before it']],
    ['npm run replay -- --trace docs/examples/none.csv', ['docs/examples/none.csv: there is no such file']],
    ['npm publish', ['npm publish: no command that these pages use']],
  ])('%s: %j', (text, faults) => {
    expect(commandFaults(fence('sh example', text), scripts, root)).toEqual(faults);
  });
});

describe('running a page', () => {
  const place = { url: 'http://127.0.0.1:4001', home: '/data/pool' };
  const run = (...blocks: CommandBlock[]): Promise<number> =>
    runScript(scriptOf(blocks, place), { cwd: root, timeoutMs: 20_000, output: 'ignore' });

  it('asks the running system where a page names the default address and home', () => {
    const script = scriptOf([block('cat .onepool/dev-api-key; curl http://127.0.0.1:3001/docs')], place);
    expect(script).toContain('cat /data/pool/dev-api-key; curl http://127.0.0.1:4001/docs');
  });

  it('keeps what a block has set for the blocks after it', async () => {
    expect(await run(block('A=1'), block('[ "$A" = 1 ]'))).toBe(0);
  });

  it('ends at the first command that fails, in a pipe too', async () => {
    expect(await run(block('false | true'), block('exit 0'))).not.toBe(0);
  });

  it('fails when what should be refused is not', async () => {
    expect(await run(block('false', { isRefused: true }))).toBe(0);
    expect(await run(block('true', { isRefused: true }))).toBe(1);
  });

  it('takes the pages that have a block of the kind, and what stands before it on the page', () => {
    const blocks = [
      block('1', { page: 'a.md' }),
      block('2', { page: 'b.md' }),
      block('3', { page: 'b.md', kind: 'verify' }),
      block('4', { page: 'b.md', kind: 'example' }),
    ];
    const texts = (kind: 'run' | 'verify') =>
      [...pagesToRun(blocks, kind)].map(([page, of]) => [page, of.map(({ text }) => text)]);
    expect(texts('run')).toEqual([
      ['a.md', ['1']],
      ['b.md', ['2']],
    ]);
    expect(texts('verify')).toEqual([['b.md', ['2', '3']]]);
  });
});
