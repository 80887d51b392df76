// The storage of `npm start`: what the settings name if it answers, else an Azurite of its own.
import path from 'node:path';
import { TableServiceClient } from '@azure/data-tables';
import { QueueServiceClient } from '@azure/storage-queue';
import { tableNames } from '../shared/storage/storage';
import { type Azurite, connectionStringOf, defaultAzuritePorts, portAnswers, startAzurite } from './azurite';

const developmentStorage = 'UseDevelopmentStorage=true';
const dataDirectory = path.join(__dirname, '../.azurite');

/**
 * Uses a storage, or starts Azurite if it does not answer. Prints what is used, and why.
 * @param given as in the setting AzureWebJobsStorage.
 * @param inMemory whether an Azurite started here keeps nothing; otherwise its data is in `.azurite/`.
 * @returns a storage that answers; `stop` stops what was started here, nothing else.
 */
export async function ensureStorage(given: string, inMemory: boolean) {
  const isDefault = given.trim().replace(/;$/, '') === developmentStorage;
  const wanted = isDefault ? connectionStringOf(defaultAzuritePorts) : given;
  const ports = localPorts(wanted);
  const answers = await Promise.all(ports.map(portAnswers));
  if (answers.every(Boolean)) {
    const isLocal = ports.length > 0;
    const what = isLocal ? `${ports.join(', ')} on 127.0.0.1 answer already` : 'the account the settings name';
    console.log(`Storage: ${what}.`);
    if (inMemory) console.log('--memory has no effect: this storage was not started here.');
    const others = isLocal ? await foreignNames(wanted) : [];
    if (others.length > 0) {
      console.log(`Warning: another app uses this storage too (${others.join(', ')}). --storage chooses another.`);
    }
    return { connectionString: given, stop: () => Promise.resolve() };
  }
  const azurite = await startOwnAzurite(inMemory ? undefined : dataDirectory);
  const { blob, queue, table } = azurite.ports;
  const kept = inMemory ? 'in memory' : 'in .azurite/';
  console.log(`Storage: started Azurite on ports ${blob}, ${queue}, ${table}; data ${kept}.`);
  const isFound = queue === defaultAzuritePorts.queue;
  if (!isFound) console.log(`For the command lines: export AzureWebJobsStorage='${azurite.connectionString}'`);
  return { connectionString: isFound ? developmentStorage : azurite.connectionString, stop: () => azurite.close() };
}

/** On the default ports where they are free: then other tools find this Azurite too. */
async function startOwnAzurite(location: string | undefined): Promise<Azurite> {
  const taken = await Promise.all(Object.values(defaultAzuritePorts).map(portAnswers));
  if (!taken.some(Boolean)) {
    // Another process may be quicker, or listen there on another address.
    const azurite = await startAzurite({ location, ports: defaultAzuritePorts }).catch(() => undefined);
    if (azurite) return azurite;
  }
  return startAzurite({ location });
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
    const queues = QueueServiceClient.fromConnectionString(connectionString);
    for await (const { name } of queues.listQueues(options)) found.push(name);
  } catch {
    return []; // a storage that answers nothing makes itself known soon enough
  }
  return found.filter((name) => !isKnown(name)).slice(0, 5);
}

/** The ports of the endpoints on this machine; none of an account in the cloud. */
export function localPorts(connectionString: string): number[] {
  const endpoints = connectionString.matchAll(/Endpoint=http:\/\/(?:127\.0\.0\.1|localhost):(\d+)/gi);
  return [...endpoints].map(([, port]) => Number(port));
}
