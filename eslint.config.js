/**
 * One lint configuration for the whole workspace. Every project runs `eslint .` in its own folder and finds this file.
 *
 * Two tag dimensions (`nx.tags` in each package.json) say who may import whom: `type:*` points
 * app → data-access → domain, `scope:*` keeps one part of the product out of another's insides. A project has to satisfy
 * both. There is no fallback that allows everything: a project with an unknown tag can import no other project.
 * Circles of imports are found by Oxlint (`.oxlintrc.json`), which takes half a second where an ESLint rule takes five.
 * Each rule here has a fixture below `tools/lint-fixtures` that breaks it, and `tools/lint-rules` proves that it fires.
 */
import { readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { createProjectGraphAsync } from '@nx/devkit';
import nx from '@nx/eslint-plugin';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const specs = ['**/*.spec.ts', '**/*.int-spec.ts'];

/** What a project of each type may import, by type. Fixtures, models and test servers are for specs, see below. */
const typeArrows = {
  'type:app': ['type:kit', 'type:data-access', 'type:domain', 'type:client', 'type:contracts', 'type:platform'],
  'type:data-access': ['type:domain', 'type:client', 'type:contracts', 'type:platform'],
  'type:domain': ['type:domain'],
  // The kit puts apps together, by their contracts.
  'type:kit': ['type:client', 'type:contracts', 'type:platform'],
  // It is installed by others, so it knows what an app promises and nothing of how one is made.
  'type:client': ['type:contracts', 'type:platform'],
  'type:contracts': ['type:contracts'],
  'type:platform': ['type:platform'],
  'type:testing': ['type:testing', 'type:domain', 'type:contracts', 'type:platform'],
};

/**
 * What a project of each scope may import, by scope. An app of which nothing is said stands alone on what is shared. The
 * simulator audits the engine, so it must not contain it.
 */
const scopeArrows = {
  ...appsAlone(),
  'scope:shared': ['scope:shared'],
  'scope:stock': ['scope:stock', 'scope:shared'],
  'scope:catalog': ['scope:catalog', 'scope:shared'],
  'scope:identity': ['scope:identity', 'scope:shared'],
  'scope:orders': ['scope:orders', 'scope:shared'],
  'scope:availability': ['scope:availability', 'scope:stock', 'scope:catalog', 'scope:identity', 'scope:shared'],
  'scope:simulator': ['scope:simulator', 'scope:shared'],
  'scope:tools': ['scope:tools', 'scope:simulator', 'scope:shared'],
  // The benchmark measures the engine in its own process, which no other tool may hold.
  'scope:bench': ['scope:bench', 'scope:stock', 'scope:shared'],
};

function appsAlone() {
  const apps = readdirSync(new URL('./apps/', import.meta.url));
  return Object.fromEntries(apps.map((app) => [`scope:${app}`, [`scope:${app}`, 'scope:shared']]));
}

const infrastructure = ['@nestjs/*', 'typeorm', 'typeorm/*', 'pg', 'pg-*', '@nats-io/*'];
const testLibraries = ['@jest/globals', 'fast-check'];

/** @param {string[]} alsoAllowedTypes types that every project may import on top of its own arrows */
function boundaries(alsoAllowedTypes) {
  const byType = Object.entries(typeArrows).map(([sourceTag, allowed]) => ({
    sourceTag,
    onlyDependOnLibsWithTags: [...new Set([...allowed, ...alsoAllowedTypes])],
    ...(sourceTag === 'type:domain' && {
      bannedExternalImports: infrastructure,
      allowedExternalImports: testLibraries,
    }),
  }));
  const byScope = Object.entries(scopeArrows).map(([sourceTag, onlyDependOnLibsWithTags]) => ({
    sourceTag,
    onlyDependOnLibsWithTags,
  }));
  // One scope's decisions never lean on another's, except on what all share: an app that needs both composes them.
  const domainsByScope = Object.keys(scopeArrows).map((scope) => ({
    allSourceTags: ['type:domain', scope],
    onlyDependOnLibsWithTags: [...new Set([scope, 'scope:shared', ...alsoAllowedTypes])],
  }));
  const depConstraints = [...byType, ...domainsByScope, ...byScope];
  return ['error', { allow: [], allowCircularSelfDependency: false, depConstraints }];
}

const noDeepImports = {
  regex: '^@onepool/[^/]+/.+',
  message: 'A library is imported through its index.ts only.',
};
/** For specs, what stands beside a library's own ones as well. */
const noDeepImportsInSpecs = { ...noDeepImports, regex: '^@onepool/[^/]+/(?!testing$).+' };
const noPlatformInDomain = {
  regex: `^(node:.+|${builtinModules.filter((name) => !name.startsWith('_')).join('|')})$(?<!^(node:)?assert(/strict)?$)`,
  message: 'A domain is pure: the clock, randomness and input arrive as parameters. Only node:assert is allowed.',
};
/** Names that end in a unit, or in a bound, as `timeout_ms` or `known_max`. */
const underscoredUnit = '[name=/^[a-z]\\w*_(ns|us|ms|s|seconds|min|max|bytes|kb|mb|gb)$/]';
const declaredNames = [
  `VariableDeclarator > Identifier.id${underscoredUnit}`,
  `:function > Identifier.params${underscoredUnit}`,
  `:function > AssignmentPattern.params > Identifier.left${underscoredUnit}`,
  `:matches(PropertyDefinition, MethodDefinition) > :matches(Identifier, PrivateIdentifier).key${underscoredUnit}`,
  // What other programs read, SQL's rows and figures as JSON, has names of its own.
  `TSInterfaceDeclaration:not([id.name=/(Row|Summary|Report|Result|Figures)$/]) TSPropertySignature > Identifier.key${underscoredUnit}`,
];
const oneDialect = [
  {
    selector:
      ':matches(PropertyDefinition, MethodDefinition[kind!="constructor"], AccessorProperty, TSAbstractPropertyDefinition, TSAbstractMethodDefinition)[accessibility=/^(private|protected)$/]',
    message: 'What a class keeps to itself is `#name`.',
  },
  {
    selector: 'TSParameterProperty',
    message: 'Node strips types and makes no fields of parameters: declare the field and assign it.',
  },
  ...declaredNames.map((selector) => ({
    selector,
    message: 'The unit is the last word of a name: `timeoutMs`, `lengthBytes`, `retryAfterSeconds`, `knownMax`.',
  })),
];
const domainGlobals = [
  'crypto',
  'performance',
  'process',
  'globalThis',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
].map((name) => ({ name, message: 'A domain is pure and synchronous: pass what you need as a parameter.' }));

// The boundary rule reads the cached project graph, and without one it warns and skips itself. Nx has just computed the
// graph when it runs `eslint .` as a project's task; in any other run nobody has.
if (process.env.NX_TASK_TARGET_PROJECT === undefined) await createProjectGraphAsync();

const dateParse = {
  object: 'Date',
  property: 'parse',
  message: 'It takes days that do not exist for others: readTime of platform-clock is the one reader of times.',
};

export default defineConfig(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/.onepool/**', '**/coverage/**', 'tools/lint-fixtures/**'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strict],
    plugins: { '@nx': nx },
    languageOptions: {
      // One program for the workspace: a program for each project, all kept, needs more memory than Node has.
      parserOptions: {
        project: ['./tsconfig.lint.json', './load-tests/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@nx/enforce-module-boundaries': boundaries([]),
      'no-restricted-imports': ['error', { patterns: [noDeepImports] }],
      'no-restricted-syntax': ['error', ...oneDialect],
      eqeqeq: 'error',
      'no-console': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Nest types what filters and middleware may return as `void | …`.
      '@typescript-eslint/no-invalid-void-type': 'off',
      // Nest's modules are classes whose whole content is their decorator.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
    },
  },
  {
    // The simulator reads only what the system has answered.
    files: ['libs/**/*.ts', 'apps/**/*.ts'],
    ignores: [...specs, 'libs/platform/clock/**', 'libs/testing/**', 'libs/simulator/**', 'apps/simulator/**'],
    rules: { 'no-restricted-properties': ['error', dateParse] },
  },
  {
    files: ['libs/*/domain/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [noDeepImports, noPlatformInDomain] }],
      'no-restricted-globals': ['error', ...domainGlobals],
      'no-restricted-properties': [
        'error',
        dateParse,
        { object: 'Date', property: 'now', message: 'A domain has no clock: pass the instant as a parameter.' },
        { object: 'Math', property: 'random', message: 'A domain has no randomness: pass the value as a parameter.' },
      ],
      'no-restricted-syntax': [
        'error',
        ...oneDialect,
        {
          selector: ':matches(NewExpression[arguments.length=0], CallExpression)[callee.name="Date"]',
          message: 'A domain has no clock: pass the instant as a parameter.',
        },
      ],
    },
  },
  {
    // Specs and their fixtures read scenario files and run against real servers.
    files: [...specs, '{apps/*,libs/*,libs/*/*}/src/{testing,spec-support}/**/*.ts', 'libs/testing/**/*.ts'],
    rules: { '@nx/enforce-module-boundaries': boundaries(['type:testing']) },
  },
  {
    // Tools may start those servers too, and drive other programs, as the local runtime does. Scopes still keep them out
    // of the product's insides.
    files: ['tools/**/*.ts'],
    rules: { '@nx/enforce-module-boundaries': boundaries(['type:testing', 'type:app']) },
  },
  {
    files: [...specs, 'apps/*/src/{testing,engine-specs}/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [noDeepImportsInSpecs] }] },
  },
  {
    files: specs,
    rules: {
      // `expect(...)` on a value that the test has just put there reads better than a guard before it.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    // Command-line programs speak to their caller through standard output.
    files: ['tools/**/*.ts', 'apps/simulator/**/*.ts', 'libs/testing/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
);
