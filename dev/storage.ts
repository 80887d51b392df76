// Sees to it that `npm start` has a storage: what the settings name if it answers, else an Azurite of our own.
import path from 'node:path';
import { type Azurite, azuriteIsRunning, defaultAzuritePorts, portAnswers, startAzurite } from './azurite';

/** A storage that answers. */
export interface DevStorage {
  connectionString: string;
  /** For the developer: what is used, and why. */
  note: string;
  /** Stops what was started here, nothing else. */
  close: () => Promise<void>;
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
  if (localPorts.length === 0) return existing(connectionString, 'Storage: the account the settings name.');
  if (await azuriteIsRunning(localPorts)) {
    return existing(connectionString, `Storage: ${localPorts.join(', ')} on 127.0.0.1 answer already.`);
  }
  const azurite = await startOwnAzurite(inMemory ? 'memory' : dataDirectory);
  const ports = Object.values(azurite.ports);
  const isOnDefaultPorts = azurite.ports.queue === defaultAzuritePorts.queue;
  return {
    connectionString: isOnDefaultPorts ? developmentStorage : azurite.connectionString,
    note:
      `Storage: started Azurite on ports ${ports.join(', ')}; data ${inMemory ? 'in memory' : 'in .azurite/'}.` +
      (isOnDefaultPorts ? '' : `\nFor the command lines: export AzureWebJobsStorage='${azurite.connectionString}'`),
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
    // Someone was quicker, or listens there on another address.
    return startAzurite({ location, ports: 'free' });
  }
}

function existing(connectionString: string, note: string): DevStorage {
  return { connectionString, note, close: () => Promise.resolve() };
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
