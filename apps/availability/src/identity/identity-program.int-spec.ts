/** The commands as an operator types them, against the running app. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { createApiKey } from '@onepool/platform-auth';
import { type AppFixture, createAppFixture, eventually } from '../testing/app-fixture.ts';
import { identityProgram } from './identity-program.ts';

let app: AppFixture;
beforeAll(async () => {
  app = await createAppFixture();
});
afterAll(() => app.close());

async function type(words: string): Promise<string> {
  const printed: string[] = [];
  const program = identityProgram({
    withAdmin: (work) => work(app.identity),
    print: (text) => void printed.push(text),
  });
  program.exitOverride().configureOutput({ writeErr: () => undefined });
  for (const command of program.commands) {
    command.exitOverride();
    for (const one of command.commands) one.exitOverride().configureOutput({ writeErr: () => undefined });
  }
  await program.parseAsync(words.split(' '), { from: 'user' });
  return stripVTControlCharacters(printed.join('\n'));
}
const statusOf = async (key: string, headers = {}) => (await app.fetch('GET', '/v1/skus', { key, headers })).status;

it('makes a service with its key, which works, shows in the lists, and stops when it is revoked', async () => {
  const { key, id } = JSON.parse(await type('keys add web-shop --scopes catalog:read --days 90 --json')) as {
    key: string;
    id: string;
  };
  expect(await statusOf(key)).toBe(200);
  expect(await type('principals list')).toMatch(/web-shop .*│ service .*catalog:read/);
  expect(await type('keys list')).toMatch(new RegExp(`web-shop .*${id} .*20\\d\\d-.* never `));
  await type(`keys change ${id} --scopes stock:read --endless`);
  expect(await type('keys list')).toMatch(new RegExp(`${id} .*│ stock:read .* never .* never `));
  await eventually(async () => ((await statusOf(key)) === 403 ? true : undefined));
  await type(`keys change ${id} --as-principal`);
  await eventually(async () => ((await statusOf(key)) === 200 ? true : undefined));
  await type(`keys revoke ${id}`);
  await eventually(async () => ((await statusOf(key)) === 401 ? true : undefined));
});

it('lets a console act for a clerk by a role, each no more than both', async () => {
  await type('roles put clerk --scopes catalog:read,stock:read');
  const clerk = await type('principals add Zoë --person --roles clerk');
  expect(await type('roles list')).toMatch(new RegExp(`clerk .*catalog:read, stock:read .*${clerk}`));
  const key = await type('keys add console --scopes people:act,stock:read');
  expect(await statusOf(key)).toBe(403);
  const stock = async (headers = {}) => (await app.fetch('GET', '/v1/exceptions', { key, headers })).status;
  expect(await stock({ 'onepool-person': clerk })).toBe(200);
  expect(await statusOf(key, { 'onepool-person': clerk })).toBe(403);
  await type('principals disable Zoë');
  await eventually(async () => ((await stock({ 'onepool-person': clerk })) === 403 ? true : undefined));
});

it('erases what a person is called', async () => {
  const [gone, there] = [await type('principals add Anna --person'), await type('principals add Anna --person')];
  await expect(type('principals disable Anna')).rejects.toThrow(/^2 principals are called Anna/);
  await type(`principals erase ${gone}`);
  await type('principals disable Anna');
  const table = await type('principals list');
  expect(table).toMatch(new RegExp(`\\(erased\\) .*${gone} .* 20\\d\\d-`));
  expect(table).toMatch(new RegExp(`Anna .*${there} .* 20\\d\\d-`));
});

it('takes a key out of a file, again and again, and nothing that is none', async () => {
  const { key } = createApiKey();
  const file = join(tmpdir(), `onepool-key-${process.pid}`);
  writeFileSync(file, `${key}\n`);
  expect(await type(`keys add till --scopes catalog:read --key-file ${file}`)).toMatch(/^key_\w+ of till$/);
  expect(await type(`keys add till --scopes catalog:read --key-file ${file}`)).toMatch(/^key_\w+ of till$/);
  expect(await statusOf(key)).toBe(200);
  writeFileSync(file, 'hello');
  await expect(type(`keys add till --key-file ${file}`)).rejects.toThrow(/holds no API key/);
});

it.each([
  ['keys add shop --scopes stock:everything', /unknown: stock:everything/],
  ['keys add shop --days soon', /number from 1 to 9999/],
  ['keys revoke key_nothing', /no key key_nothing/],
  ['keys change key_nothing --endless', /no key key_nothing/],
  ['principals erase Zoë', /no person with the id Zoë/],
  ['principals add prn_abcdefghijkl', /looks like an id/],
  ['principals change nobody --scopes all', /no principal nobody/],
])('refuses in a sentence: %s', async (words, sentence) => {
  await expect(type(words)).rejects.toThrow(sentence);
});
