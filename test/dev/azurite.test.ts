// Azurite as a child process.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { QueueServiceClient } from '@azure/storage-queue';
import { type Azurite, portAnswers, startAzurite } from '../../dev/azurite';
import { eventually } from '../support/app';

const running: Azurite[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((azurite) => azurite.close('SIGKILL')));
});

async function start(options?: Parameters<typeof startAzurite>[0]): Promise<Azurite> {
  const azurite = await startAzurite(options);
  running.push(azurite);
  return azurite;
}

test('with a location its data is there again after a restart on the same ports', async () => {
  const location = mkdtempSync(path.join(os.tmpdir(), 'azurite-'));
  const first = await startAzurite({ location });
  const queue = QueueServiceClient.fromConnectionString(first.connectionString).getQueueClient('some-queue');
  await queue.create();
  await queue.sendMessage('kept');
  await first.close();
  const second = await startAzurite({ location, ports: first.ports });
  expect(second.ports).toEqual(first.ports);
  expect((await queue.peekMessages()).peekedMessageItems.map((item) => item.messageText)).toEqual(['kept']);
  await second.close();
  rmSync(location, { recursive: true });
});

test('a taken port is an error that shows Azurite’s words', async () => {
  const { ports } = await start();
  await expect(startAzurite({ ports })).rejects.toThrow(/did not start:[^]*EADDRINUSE/);
});

test('it ends when its parent is killed', async () => {
  const script = `require(${JSON.stringify(path.join(__dirname, '../../dev/azurite.ts'))}).startAzurite().then((a) => console.log(a.ports.queue))`;
  const parent = spawn(process.execPath, ['--import', 'tsx', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve) => {
    parent.stdout.once('data', (data: Buffer) => {
      resolve(Number(data.toString()));
    });
  });
  expect(await portAnswers(port)).toBe(true);
  parent.kill('SIGKILL');
  await eventually(async () => !(await portAnswers(port)));
});
