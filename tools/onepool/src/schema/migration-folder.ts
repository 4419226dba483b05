/**
 * A library's folder of migrations, and its list of what they were: `checksums.json`. Databases have applied a file as it was
 * when it was released, so from then on it is frozen, and every change is a new file. Until then it may be rewritten.
 */
import { existsSync, globSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { MIGRATION_FILE, migrationChecksum } from '@onepool/platform-postgres';

const LIST = 'checksums.json';

interface Entry {
  readonly sha256: string;
  readonly isFrozen: boolean;
}
type Listed = Readonly<Record<string, Entry>>;

export class MigrationFolder {
  readonly #folder: string;
  /** As sentences name it. */
  readonly #shown: string;

  constructor(folder: string, root: string) {
    this.#folder = folder;
    this.#shown = relative(root, folder);
  }

  /** Every folder of migrations below `root`: those that hold SQL, and those whose list says that they did. */
  static all(root: string): readonly MigrationFolder[] {
    const patterns = ['libs/*/src/**/sql/*', 'libs/*/*/src/**/sql/*', 'apps/*/src/**/sql/*'];
    const folders = new Set(globSync(patterns, { cwd: root }).map((file) => dirname(file)));
    return [...folders].sort().map((folder) => new MigrationFolder(join(root, folder), root));
  }

  /** What keeps the files from ever being applied as they are, as sentences: frozen ones that are not what they were, and bad names. */
  refusals(): readonly string[] {
    const found = this.#found();
    const isGone = (file: string): boolean => !found.has(file);
    return [
      ...Object.entries(this.#listed())
        .filter(([file, { sha256, isFrozen }]) => isFrozen && found.get(file) !== sha256)
        .map(
          ([file]) =>
            `${this.#shown}/${file} is frozen and ${isGone(file) ? 'gone' : 'was changed'}, but databases have applied it as it was: ` +
            `restore it, and write ${this.#nextNumber()}-….sql.`,
        ),
      ...[...found.keys()]
        .filter((file) => !MIGRATION_FILE.test(file))
        .map((file) => `${this.#shown}/${file} is no name of a migration: 0001-what-it-does.sql`),
      ...this.#outOfStep([...found.keys()].filter((file) => MIGRATION_FILE.test(file))),
    ];
  }

  /** As {@link refusals}, and where the list does not say what the files are. */
  faults(): readonly string[] {
    const found = this.#found();
    const listed = this.#listed();
    const open = [...new Set([...found.keys(), ...Object.keys(listed)])].filter((file) => !listed[file]?.isFrozen);
    return [
      ...this.refusals(),
      ...open
        .filter((file) => found.get(file) !== listed[file]?.sha256)
        .map(
          (file) =>
            `${this.#shown}/${file} is not what ${LIST} says: run \`npm run onepool -- schema write\` and commit the list.`,
        ),
    ];
  }

  /** Writes the list anew; frozen files stay frozen. Call it where {@link refusals} has none. */
  write(freeze = false): void {
    const listed = this.#listed();
    const entries = [...this.#found()].map(([file, sha256]): [string, Entry] => [
      file,
      { sha256, isFrozen: freeze || listed[file]?.isFrozen === true },
    ]);
    writeFileSync(join(this.#folder, LIST), `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`);
  }

  /** The checksum of each file, in order. */
  #found(): ReadonlyMap<string, string> {
    const files = readdirSync(this.#folder).filter((file) => file.endsWith('.sql'));
    return new Map(
      files.sort().map((file) => [file, migrationChecksum(readFileSync(join(this.#folder, file), 'utf8'))]),
    );
  }

  #listed(): Listed {
    const list = join(this.#folder, LIST);
    return existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as Listed) : {};
  }

  #outOfStep(files: readonly string[]): readonly string[] {
    const step = files.findIndex((file, index) => Number(MIGRATION_FILE.exec(file)?.groups?.['number']) !== index + 1);
    if (step < 0) return [];
    return [
      `${this.#shown}/${files[step]} should have the number ${fourDigits(step + 1)}: each number comes once, none is left out.`,
    ];
  }

  #nextNumber(): string {
    return fourDigits(1 + Math.max(Object.keys(this.#listed()).length, this.#found().size));
  }
}

const fourDigits = (number: number): string => String(number).padStart(4, '0');
