/**
 * Fills a running Onepool with the demo network, through its public API only. Running it again changes nothing.
 *
 * `node --conditions=@onepool/source tools/seed/src/main.ts --url http://127.0.0.1:3001 --key-file .onepool/dev-api-key`
 */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { demoNetwork } from './demo-network.ts';
import { createProgress } from './progress.ts';
import { seedRequests } from './seed-requests.ts';
import { SeedFailed, senderTo } from './send-request.ts';

interface Options {
  readonly url: string;
  readonly keyFile: string;
}

async function readKey(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new SeedFailed(`cannot read the API key in ${file}`, { cause });
  }
}

async function seed({ url, keyFile }: Options): Promise<void> {
  const key = await readKey(keyFile);
  const network = demoNetwork();
  const requests = seedRequests(network);
  const progress = createProgress(requests.length, process.stdout);
  const sender = senderTo({ url, key });
  try {
    for (const request of requests) {
      await sender.send(request);
      progress.advance(request.what);
    }
  } finally {
    progress.done();
    await sender.close();
  }
  const units = network.receipts.reduce((total, receipt) => total + receipt.quantity, 0);
  const { nodes, skus, channels } = network;
  console.log(
    `Demo network: ${nodes.length} nodes, ${skus.length} SKUs, ${channels.length} channels, ${units} units to start with.`,
  );
}

const program = new Command('seed')
  .description('Fills a running Onepool with the demo network; running it again changes nothing.')
  .requiredOption('--url <url>', 'base URL of the availability app')
  .requiredOption('--key-file <file>', 'file that holds an API key with write scopes')
  .action(async (options: Options) => {
    try {
      await seed(options);
    } catch (error) {
      if (!(error instanceof SeedFailed)) throw error;
      console.error(`seed: ${error.message}`);
      process.exitCode = 1;
    }
  });

await program.parseAsync();
