/** A copy of the sources of a tree, in which bugs may be planted; what is installed is not copied. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { PlantedBug } from './planted-bugs.ts';

export class SourceCopy implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'onepool-planted-'));

  constructor(original: string) {
    const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: original,
      encoding: 'utf8',
    });
    for (const file of files.split('\0').filter(Boolean)) {
      mkdirSync(dirname(join(this.root, file)), { recursive: true });
      cpSync(join(original, file), join(this.root, file));
    }
    const [from, to] = [join(original, 'node_modules'), join(this.root, 'node_modules')];
    mkdirSync(to);
    for (const name of readdirSync(from).filter((one) => one !== '@onepool'))
      symlinkSync(join(from, name), join(to, name));
    // Links among the tree's own packages are relative to it.
    cpSync(join(from, '@onepool'), join(to, '@onepool'), { recursive: true, verbatimSymlinks: true });
  }

  /** Runs `work` with the bug in the sources. */
  async with<T>({ file, right, wrong }: PlantedBug, work: () => Promise<T>): Promise<T> {
    const path = join(this.root, file);
    const sound = readFileSync(path, 'utf8');
    if (sound.split(right).length !== 2) throw new Error(`${file} does not have exactly one ${right}`);
    writeFileSync(
      path,
      sound.replace(right, () => wrong),
    );
    try {
      return await work();
    } finally {
      writeFileSync(path, sound);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
