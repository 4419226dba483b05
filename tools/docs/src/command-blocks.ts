/**
 * The fenced blocks of every page of documentation, and what is done with the commands in them.
 *
 * The word after `sh` decides:
 * - `run`      CI runs it against a running system (`npm run docs -- run`).
 * - `verify`   it takes too long for CI; `npm run docs -- verify` runs it.
 * - `example`  nothing runs it; its scripts, options and files must exist.
 *
 * `refused` after `run` or `verify` says that the commands answer with a problem, which must then happen.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

export const BLOCK_KINDS = ['run', 'verify', 'example'] as const;
export type BlockKind = (typeof BLOCK_KINDS)[number];

/** A fenced block as the page has it. */
export interface Fence {
  /** Path below the root. */
  readonly page: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
  /** What stands after the opening backticks, word by word. */
  readonly info: readonly string[];
  readonly text: string;
}

export interface CommandBlock extends Fence {
  readonly kind: BlockKind;
  readonly isRefused: boolean;
}

const SHELLS: readonly string[] = ['sh', 'bash', 'shell', 'console', 'zsh'];
const PASSED_OVER: readonly string[] = ['node_modules', 'dist', 'coverage'];

/** Every Markdown page below `root`, in the order of its path; hidden folders and what others wrote are passed over. */
export function pagesBelow(root: string): readonly string[] {
  const walk = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      if (entry.name.startsWith('.') || PASSED_OVER.includes(entry.name)) return [];
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return walk(path);
      return entry.name.endsWith('.md') ? [relative(root, path)] : [];
    });
  return walk(root).sort();
}

export function fencesOf(page: string, markdown: string): readonly Fence[] {
  const fences: Fence[] = [];
  let open: { line: number; mark: string; info: readonly string[]; lines: string[] } | undefined;
  for (const [index, text] of markdown.split('\n').entries()) {
    const [, mark, info = ''] = /^\s*(`{3,})(.*)$/.exec(text) ?? [];
    if (open === undefined) {
      if (mark !== undefined) open = { line: index + 1, mark, info: info.split(/\s+/).filter(Boolean), lines: [] };
    } else if (mark !== undefined && mark.length >= open.mark.length && info.trim() === '') {
      fences.push({ page, line: open.line, info: open.info, text: open.lines.join('\n') });
      open = undefined;
    } else open.lines.push(text);
  }
  return fences;
}

/** What is wrong with a fence's tag; undefined where nothing is. */
export function tagFault({ info: [language, kind, mark, ...rest] }: Fence): string | undefined {
  if (language === undefined) return 'a block names its language, `text` if it has none';
  if (!SHELLS.includes(language)) return undefined;
  if (language !== 'sh') return `commands are tagged \`sh\`, not \`${language}\``;
  const isKnown = (BLOCK_KINDS as readonly (string | undefined)[]).includes(kind);
  if (!isKnown) return `\`sh\` is followed by ${BLOCK_KINDS.join(', ')}, not by ${kind ?? 'nothing'}`;
  const isMarkFit = mark === undefined || (mark === 'refused' && kind !== 'example');
  return isMarkFit && rest.length === 0 ? undefined : `\`${[mark, ...rest].join(' ')}\` says nothing here`;
}

export const everyFence = (root: string): readonly Fence[] =>
  pagesBelow(root).flatMap((page) => fencesOf(page, readFileSync(join(root, page), 'utf8')));

/** The rightly tagged blocks of commands below `root`, of one kind or of all. */
export function commandBlocks(root: string, kind?: BlockKind): readonly CommandBlock[] {
  return everyFence(root)
    .filter((fence) => fence.info[0] === 'sh' && tagFault(fence) === undefined)
    .map((fence) => ({ ...fence, kind: fence.info[1] as BlockKind, isRefused: fence.info[2] === 'refused' }))
    .filter((block) => kind === undefined || block.kind === kind);
}
