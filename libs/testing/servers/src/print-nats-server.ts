/** Prints the path of the nats-server the specs shall use, installing one when none is there; nothing if none is to be had. */
import { findNatsServer } from '@onepool/platform-local-servers';

try {
  const program = await findNatsServer({ onProgress: (message) => process.stderr.write(`${message}\n`) });
  process.stdout.write(program.path);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
}
