import { beforeAll, describe, expect, it } from '@jest/globals';
import { workspaceRoot } from './lint-fixtures.ts';
import { readProjects, tagsOfFolder, type Project } from './projects.ts';

const types = ['app', 'data-access', 'domain', 'client', 'contracts', 'kit', 'platform', 'testing'].map(
  (type) => `type:${type}`,
);

describe('every project', () => {
  let projects: Project[];
  beforeAll(async () => {
    projects = await readProjects(workspaceRoot);
  });

  const foldersWhere = (isWrong: (project: Project) => boolean): string[] =>
    projects.filter(isWrong).map((project) => project.folder);

  it('is found', () => {
    expect(projects.map((project) => project.folder)).toEqual(
      expect.arrayContaining(['apps/availability', 'libs/contracts', 'libs/stock/domain', 'tools/lint-rules']),
    );
  });

  it('has exactly one scope tag and exactly one known type tag', () => {
    const count = (project: Project, prefix: string): number =>
      project.tags.filter((tag) => tag.startsWith(prefix)).length;
    expect(foldersWhere((project) => count(project, 'scope:') !== 1 || count(project, 'type:') !== 1)).toEqual([]);
    expect(foldersWhere(({ tags }) => !tags.some((tag) => types.includes(tag)))).toEqual([]);
  });

  it('is tagged as its folder says', () => {
    const asTagged = Object.fromEntries(projects.map(({ folder, tags }) => [folder, [...tags].sort()]));
    const asPlaced = Object.fromEntries(projects.map(({ folder }) => [folder, [...tagsOfFolder(folder)].sort()]));
    expect(asTagged).toEqual(asPlaced);
  });

  it('has the targets build, lint, typecheck and test', () => {
    const targets = ['build', 'lint', 'typecheck', 'test'];
    expect(foldersWhere(({ scripts }) => !targets.every((target) => scripts[target]))).toEqual([]);
  });

  it('exports its index only, and as sources what it lends to specs of others', () => {
    const index = { '.': { '@onepool/source': './src/index.ts', default: './dist/index.js' } };
    const lending = { ...index, './testing': { '@onepool/source': './src/testing/index.ts' } };
    const isLibrary = (project: Project): boolean => project.folder.startsWith('libs/');
    const wrong = (project: Project): boolean =>
      [index, lending].every((allowed) => JSON.stringify(project.exports) !== JSON.stringify(allowed));
    expect(foldersWhere((project) => isLibrary(project) && wrong(project))).toEqual([]);
  });
});
