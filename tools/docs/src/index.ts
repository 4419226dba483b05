export { commandBlocks } from './command-blocks.ts';
export type { BlockKind, CommandBlock } from './command-blocks.ts';
