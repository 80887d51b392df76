// Starts Azurite, the storage emulator, as a child process: blob, queue and table, on 127.0.0.1.
// It ends only the process it started, and that process ends when this one does.
import { once } from 'node:events';
import { connect } from 'node:net';
import { startChild } from './childProcess';

export interface AzuritePorts {
  blob: number;
  queue: number;
  table: number;
}

export type Azurite = Awaited<ReturnType<typeof startAzurite>>;

/** The ports meant by `UseDevelopmentStorage=true`. */
export const defaultAzuritePorts: AzuritePorts = { blob: 10_000, queue: 10_001, table: 10_002 };
/** The published account of every Azurite: not a secret. */
const developmentAccount =
  'devstoreaccount1:Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** Ends Azurite when its parent is gone, however that went: the channel to it closes. */
const endWithParent = `data:text/javascript,process.once('disconnect',()=>{setTimeout(()=>process.exit(),3000).unref();process.kill(process.pid,'SIGTERM')})`;

/**
 * Starts Azurite and waits until the three services answer.
 * @param options `location`: a directory to keep the data in, without it nothing is kept. `ports`: without them, free ones.
 *   `accounts`: `name:key1:key2;…`, keys in base64; default: the well-known account devstoreaccount1.
 * @throws Error with its output if it ends before that, for example because a port is taken.
 */
export async function startAzurite(
  options: { location?: string | undefined; ports?: AzuritePorts; accounts?: string } = {},
) {
  const { location, ports, accounts } = options;
  const { blob, queue, table } = ports ?? { blob: 0, queue: 0, table: 0 };
  const found = new Map<string, number>();
  const lines: string[] = [];
  let ready: (ports: AzuritePorts) => void;
  const allListening = new Promise<AzuritePorts>((resolve) => (ready = resolve));
  const child = startChild(
    process.execPath,
    [
      ...['--import', endWithParent, require.resolve('azurite/dist/src/azurite.js')],
      ...['--skipApiVersionCheck', '--disableTelemetry', '--silent'],
      ...['--blobPort', String(blob), '--queuePort', String(queue), '--tablePort', String(table)],
      ...(location === undefined ? ['--inMemoryPersistence'] : ['--location', location]),
    ],
    {
      env: { ...process.env, AZURITE_ACCOUNTS: accounts },
      ipc: true,
      onLine: (line) => {
        lines.push(line);
        // It prints each address it listens at, which is how a free port becomes known.
        const [, service = '', port] = /^Azurite (\w+) service is successfully listening at .*:(\d+)$/.exec(line) ?? [];
        if (port !== undefined) found.set(service, Number(port));
        const [blob, queue, table] = ['Blob', 'Queue', 'Table'].map((name) => found.get(name));
        if (blob !== undefined && queue !== undefined && table !== undefined) ready({ blob, queue, table });
      },
    },
  );
  const listening = await Promise.race([allListening, child.exited.then(() => undefined)]);
  if (listening === undefined) throw new Error(`Azurite did not start:\n${lines.join('\n')}`);
  return {
    /** For the first account. */
    connectionString: connectionStringOf(listening, accounts),
    ports: listening,
    pid: child.process.pid ?? 0,
    /** Stops it, its data written, and waits for its end; with `signal` it gets just that. */
    close(signal?: NodeJS.Signals): Promise<unknown> {
      if (signal !== undefined || location === undefined) child.signal(signal ?? 'SIGKILL');
      else if (child.process.connected) child.process.disconnect();
      return child.exited;
    },
  };
}

/** @returns whether something accepts connections on this port of 127.0.0.1. */
export async function portAnswers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const answers = await once(socket, 'connect').then(Boolean, () => false);
  socket.destroy();
  return answers;
}

export function connectionStringOf(ports: AzuritePorts, accounts = developmentAccount): string {
  const [name = '', key = ''] = accounts.split(';')[0]?.split(':') ?? [];
  const endpoint = (port: number): string => `http://127.0.0.1:${port}/${name}`;
  return [
    'DefaultEndpointsProtocol=http',
    `AccountName=${name}`,
    `AccountKey=${key}`,
    `BlobEndpoint=${endpoint(ports.blob)}`,
    `QueueEndpoint=${endpoint(ports.queue)}`,
    `TableEndpoint=${endpoint(ports.table)}`,
    '',
  ].join(';');
}
