/**
 * Makes an app out of the template beside `src`: a folder below `apps/`, its contract, and its lines in the lists that others
 * read. It touches nothing of the platform.
 */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OperatorError } from '@onepool/platform-config';
import { migrationChecksum } from '@onepool/platform-postgres';
import { register } from './register.ts';

const TEMPLATE = join(import.meta.dirname, '../template');
const NAME = /^[a-z]{2,20}$/;
const PORTS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/** Files of the workspace that were made or changed. @throws OperatorError when the name will not do, or every port is taken. */
export function addApp(root: string, name: string): readonly string[] {
  if (!NAME.test(name)) throw new OperatorError(`${name} is no name for an app: 2 to 20 letters from a to z.`);
  for (const taken of [`apps/${name}`, `libs/contracts/src/${name}`]) {
    if (existsSync(join(root, taken))) throw new OperatorError(`There is ${taken} already.`);
  }
  const port = freePort(root);
  const write = (path: string, text: string): string => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return path;
  };
  const fill = (text: string): string =>
    text
      .replaceAll('{{app}}', name)
      .replaceAll('{{APP}}', name.toUpperCase())
      .replaceAll('{{App}}', `${name[0]?.toUpperCase()}${name.slice(1)}`)
      .replaceAll('{{port}}', String(port));
  const made = globSync('**/*.txt', { cwd: TEMPLATE })
    .sort()
    .map((path) => {
      const [place = '', ...rest] = fill(path.replace(/\.txt$/, '')).split('/');
      const folder = place === 'contract' ? `libs/contracts/src/${name}` : `apps/${name}`;
      return write(join(folder, ...rest), fill(readFileSync(join(TEMPLATE, path), 'utf8')));
    });
  return [...made, write(`apps/${name}/src/sql/checksums.json`, checksums(root, name)), ...register(root, name)];
}

/** Of the migration that was made, as `npm run onepool -- schema write` lists it. */
function checksums(root: string, name: string): string {
  const file = '0001-create.sql';
  const sha256 = migrationChecksum(readFileSync(join(root, `apps/${name}/src/sql/${file}`), 'utf8'));
  return `${JSON.stringify({ [file]: { sha256, isFrozen: false } }, undefined, 2)}\n`;
}

function freePort(root: string): number {
  const taken = globSync('apps/*/package.json', { cwd: root }).map(
    (file) => (JSON.parse(readFileSync(join(root, file), 'utf8')) as { onepool?: { port?: number } }).onepool?.port,
  );
  const port = PORTS.find((one) => !taken.includes(one));
  if (port === undefined) throw new OperatorError('Every port from +1 to +9 is taken by an app.');
  return port;
}
