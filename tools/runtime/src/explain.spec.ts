import { describe, expect, it } from '@jest/globals';
import { explain } from './explain.ts';
import { TaskError } from './child-process.ts';

const system = (code: string, path?: string): Error => Object.assign(new Error(`${code}: raw`), { code, path });

describe('explain', () => {
  it.each([
    [system('EACCES', '/srv/pool'), 'This user may not write /srv/pool', 'ONEPOOL_HOME'],
    [system('EPERM', '/srv/pool/logs'), 'may not change /srv/pool/logs', 'chown'],
    [system('EROFS', '/cdrom/pool'), 'read-only', 'ONEPOOL_HOME'],
    [system('ENOSPC'), 'no room on the disk of /home/shop/.onepool', 'make some'],
    [system('EDQUOT'), 'quota for /home/shop/.onepool', 'make room'],
    [system('ENOTDIR', '/srv/file/pool'), '/srv/file/pool lies below a file', 'remove the file'],
    [system('EEXIST', '/srv/file'), '/srv/file is a file', 'remove it'],
    [system('EMFILE'), 'Too many files are open', 'ulimit -n'],
    [new TaskError('migrate failed (exit 1).'), 'migrate failed', 'exit 1'],
  ])('%s: one line, with what is wrong and what to do', (error, wrong, remedy) => {
    const told = explain(error, '/home/shop/.onepool');
    expect(told).toContain(wrong);
    expect(told).toContain(remedy);
    expect(told.split('\n')).toHaveLength(1);
  });

  it('shows the stack of a fault that is ours', () => {
    expect(explain(new TypeError('x is undefined'), '/h')).toMatch(/TypeError: x is undefined\n +at /);
  });
});
