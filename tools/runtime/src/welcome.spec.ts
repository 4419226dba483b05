import { describe, expect, it } from '@jest/globals';
import { renderWelcome } from './welcome.ts';

const facts = {
  urls: { availability: ['http://127.0.0.1:3001', 'http://127.0.0.1:3021'] },
  databaseUrl: 'postgres://onepool_app:secret@127.0.0.1:3010/onepool',
  recordFile: '/h/runtime.json',
  natsUrl: 'nats://operator:hidden@127.0.0.1:3011',
  natsUsersFile: '/h/nats-users.json',
  logs: '/h/logs',
  apiKeyFile: '/h/dev-api-key',
  apiKey: 'opk_x',
  sku: 'TEE RED/M',
};

describe('renderWelcome', () => {
  it('names every address, the key and where the key is kept', () => {
    const text = renderWelcome(facts);
    for (const fact of [
      'http://127.0.0.1:3021',
      'npm run status',
      'postgres://onepool_app@127.0.0.1:3010/onepool',
      '/h/runtime.json',
      'nats://127.0.0.1:3011',
      '/h/nats-users.json',
      'opk_x',
      '/h/dev-api-key',
      '/h/logs',
      'http://127.0.0.1:3001/docs',
    ]) {
      expect(text).toContain(fact);
    }
    expect(text).not.toMatch(/hidden|secret/);
    const several = renderWelcome({ ...facts, natsUrl: 'nats://a:hidden@h1:4222,a:hidden@h2:4222' });
    expect(several).toContain('nats://h1:4222,h2:4222');
    expect(several).not.toContain('hidden');
  });

  it('gives a command that reads ATP and one that reserves, each on one line that a shell takes', () => {
    const commands = renderWelcome(facts)
      .split('\n')
      .filter((line) => line.trim().startsWith('curl'));
    expect(commands).toHaveLength(2);
    expect(commands[0]).toContain("'http://127.0.0.1:3001/v1/atp/TEE%20RED%2FM?channel=web'");
    const body = JSON.parse(/-d '(.*)'$/.exec(commands[1]!)![1]!) as Record<string, unknown>;
    expect(body).toMatchObject({ channel: 'web', expiresInSeconds: 600, lines: [{ sku: 'TEE RED/M', quantity: 1 }] });
  });

  it('offers no reservation of what is not there', () => {
    expect(renderWelcome({ ...facts, sku: undefined })).not.toContain('/v1/reservations');
  });
});
