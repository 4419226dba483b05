/**
 * The workspace's own rules, applied to an imagined workspace: the folders beside this file. Its projects and their tags
 * are the table below instead of what Nx finds on disk, so a fixture does not depend on which libraries exist today.
 * The boundary rule keeps a project graph that is already there when it runs under the ESLint command line.
 */
import config from '../../eslint.config.js';

const projects = [
  ['apps/availability', '@onepool/availability', 'scope:availability', 'type:app'],
  ['apps/simulator', '@onepool/simulator', 'scope:simulator', 'type:app'],
  ['tools/seed', '@onepool/tools-seed', 'scope:tools', 'type:app'],
  ['tools/bench', '@onepool/tools-bench', 'scope:bench', 'type:app'],
  ['libs/client', '@onepool/client', 'scope:shared', 'type:client'],
  ['libs/contracts', '@onepool/contracts', 'scope:shared', 'type:contracts'],
  ['libs/platform/app', '@onepool/platform-app', 'scope:shared', 'type:kit'],
  ['libs/platform/clock', '@onepool/platform-clock', 'scope:shared', 'type:platform'],
  ['libs/platform/postgres', '@onepool/platform-postgres', 'scope:shared', 'type:platform'],
  ['libs/testing/servers', '@onepool/testing-servers', 'scope:shared', 'type:testing'],
  ['libs/stock/domain', '@onepool/stock-domain', 'scope:stock', 'type:domain'],
  ['libs/stock/data-access', '@onepool/stock-data-access', 'scope:stock', 'type:data-access'],
  ['libs/catalog/domain', '@onepool/catalog-domain', 'scope:catalog', 'type:domain'],
  ['libs/catalog/data-access', '@onepool/catalog-data-access', 'scope:catalog', 'type:data-access'],
  ['libs/identity/domain', '@onepool/identity-domain', 'scope:identity', 'type:domain'],
  ['libs/identity/data-access', '@onepool/identity-data-access', 'scope:identity', 'type:data-access'],
  ['libs/orders/domain', '@onepool/orders-domain', 'scope:orders', 'type:domain'],
  ['libs/orders/data-access', '@onepool/orders-data-access', 'scope:orders', 'type:data-access'],
  ['libs/availability/domain', '@onepool/availability-domain', 'scope:availability', 'type:domain'],
  ['libs/simulator/data-access', '@onepool/simulator-data-access', 'scope:simulator', 'type:data-access'],
  ['libs/simulator/domain', '@onepool/simulator-domain', 'scope:simulator', 'type:domain'],
  ['libs/tools/domain', '@onepool/tools-domain', 'scope:tools', 'type:domain'],
  ['libs/bench/domain', '@onepool/bench-domain', 'scope:bench', 'type:domain'],
  ['libs/shared/domain', '@onepool/shared-domain', 'scope:shared', 'type:domain'],
  ['libs/rounding/domain', '@onepool/rounding-domain', 'scope:rounding', 'type:rounding'],
];

const node = ([root, name, ...tags]) => [name, { name, type: 'lib', data: { root, tags, targets: {} } }];
const external = (name) => [
  `npm:${name}`,
  { name: `npm:${name}`, type: 'npm', data: { packageName: name, version: '1.0.0' } },
];
const packages = ['@nestjs/common', 'typeorm', 'pg', '@nats-io/transport-node', 'undici', 'fast-check'];

const nodes = Object.fromEntries(projects.map(node));
const dependencies = Object.fromEntries(Object.keys(nodes).map((name) => [name, []]));
dependencies['@onepool/platform-postgres'] = [
  { source: '@onepool/platform-postgres', target: '@onepool/platform-clock', type: 'static' },
];

Object.assign(globalThis, {
  projectPath: import.meta.dirname,
  projectGraph: { nodes, externalNodes: Object.fromEntries(packages.map(external)), dependencies },
  projectRootMappings: new Map(projects.map(([root, name]) => [root, name])),
  projectFileMap: Object.fromEntries(Object.keys(nodes).map((name) => [name, []])),
  targetProjectLocator: {
    findProjectFromImport: (specifier) => (packages.includes(specifier) ? `npm:${specifier}` : specifier),
  },
});

const parserOptions = { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname };

export default [...config, { files: ['**/*.ts'], languageOptions: { parserOptions } }];
