// The storage of `npm start`: what the settings name if it answers, else an Azurite of its own.
import path from 'node:path';
import { TableServiceClient } from '@azure/data-tables';
import { QueueServiceClient } from '@azure/storage-queue';
import { tableNames } from '../shared/storage/storageClients';
import {
  type Azurite,
  azuriteIsRunning,
  connectionStringOf,
  defaultAzuritePorts,
  portAnswers,
  startAzurite,
} from './azurite';

/** A storage that answers. */
export interface DevStorage {
  connectionString: string;
  /** For the developer: what is used, and why. */
  notes: string[];
  /** Stops what was started here, nothing else. */
  close: () => Promise<unknown>;
}

const developmentStorage = 'UseDevelopmentStorage=true';
const dataDirectory = path.join(__dirname, '../.azurite');

/**
 * Uses a storage, or starts Azurite if the storage is meant to be on this machine and does not answer.
 * @param connectionString as in the setting AzureWebJobsStorage.
 * @param inMemory whether an Azurite started here keeps nothing; otherwise its data is in `.azurite/`.
 * @throws Error when Azurite does not start.
 */
export async function ensureStorage(connectionString: string, inMemory: boolean): Promise<DevStorage> {
  const isDefault = connectionString.trim().replace(/;$/, '') === developmentStorage;
  const localPorts = isDefault ? Object.values(defaultAzuritePorts) : endpointPorts(connectionString);
  const memoryNote = inMemory ? ['--memory has no effect: this storage was not started here.'] : [];
  if (localPorts.length === 0) {
    return existing(connectionString, ['Storage: the account the settings name.', ...memoryNote]);
  }
  if (await azuriteIsRunning(localPorts)) {
    const others = await foreignNames(isDefault ? connectionStringOf(defaultAzuritePorts) : connectionString);
    return existing(connectionString, [
      `Storage: ${localPorts.join(', ')} on 127.0.0.1 answer already.`,
      ...memoryNote,
      ...(others.length === 0
        ? []
        : [`Warning: another app uses this storage too (${others.join(', ')}). --storage chooses another.`]),
    ]);
  }
  const azurite = await startOwnAzurite(inMemory ? 'memory' : dataDirectory);
  const ports = Object.values(azurite.ports);
  const isOnDefaultPorts = azurite.ports.queue === defaultAzuritePorts.queue;
  return {
    connectionString: isOnDefaultPorts ? developmentStorage : azurite.connectionString,
    notes: [
      `Storage: started Azurite on ports ${ports.join(', ')}; data ${inMemory ? 'in memory' : 'in .azurite/'}.`,
      ...(isOnDefaultPorts ? [] : [`For the command lines: export AzureWebJobsStorage='${azurite.connectionString}'`]),
    ],
    close: () => azurite.close(),
  };
}

/** On the default ports where they are free: then other tools find this Azurite too. */
async function startOwnAzurite(location: string): Promise<Azurite> {
  const taken = await Promise.all(Object.values(defaultAzuritePorts).map(portAnswers));
  if (taken.some(Boolean)) return startAzurite({ location, ports: 'free' });
  try {
    return await startAzurite({ location, ports: defaultAzuritePorts });
  } catch {
    // Another process was quicker, or listens there on another address.
    return startAzurite({ location, ports: 'free' });
  }
}

function existing(connectionString: string, notes: string[]): DevStorage {
  return { connectionString, notes, close: () => Promise.resolve() };
}

/** Up to five tables and queues that are neither this app's nor the Functions host's; none if they cannot be listed. */
async function foreignNames(connectionString: string): Promise<string[]> {
  const isKnown = (name: string): boolean =>
    /^(?:AzureFunctions|AzureWebJobs|azure-webjobs-|outgoing-mail)/.test(name) ||
    tableNames.some((own) => own === name);
  const options = { abortSignal: AbortSignal.timeout(5000) };
  const found: string[] = [];
  try {
    const tables = TableServiceClient.fromConnectionString(connectionString, { allowInsecureConnection: true });
    for await (const { name = '' } of tables.listTables(options)) found.push(name);
    for await (const { name } of QueueServiceClient.fromConnectionString(connectionString).listQueues(options)) {
      found.push(name);
    }
  } catch {
    return []; // a storage that answers nothing makes itself known soon enough
  }
  return found.filter((name) => !isKnown(name)).slice(0, 5);
}

/** The ports of the endpoints on this machine. */
function endpointPorts(connectionString: string): number[] {
  return [...connectionString.matchAll(/Endpoint=http:\/\/(?:127\.0\.0\.1|localhost):(\d+)/gi)].map(([, port]) =>
    Number(port),
  );
}

/** Is this storage an emulator on this machine, and not an account in the cloud? */
export function isOnThisMachine(connectionString: string): boolean {
  return endpointPorts(connectionString).length > 0;
}
