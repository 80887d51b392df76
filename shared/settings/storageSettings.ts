// The storage settings: a connection string, or an identity, as the bindings read them.
import type { ReadableSettings } from './settingsSchema';

/** How our own clients reach Azure Storage; the bindings read the same settings. */
export type StorageSettings =
  | { readonly kind: 'connectionString'; readonly connectionString: string }
  | {
      readonly kind: 'identity';
      readonly tableServiceUri: string;
      readonly queueServiceUri: string;
      /** A user-assigned identity; without it the system-assigned one, or the developer's own sign-in. */
      readonly clientId?: string | undefined;
      /** `AzureWebJobsStorage__credential` = `managedidentity`. */
      readonly managedIdentity: boolean;
    };

/** @param problems what is wrong is added here, by name */
export function readStorage(settings: ReadableSettings, problems: string[]): StorageSettings | undefined {
  const connectionString = settings.AzureWebJobsStorage;
  if (connectionString !== undefined) {
    if (connectionString === 'UseDevelopmentStorage=true') {
      return { kind: 'connectionString', connectionString: developmentStorage };
    }
    if (/(?:^|;)(?:AccountKey|SharedAccessSignature)=\S/i.test(connectionString))
      return { kind: 'connectionString', connectionString };
    problems.push('AzureWebJobsStorage is no storage connection string');
    return undefined;
  }
  const account = settings.AzureWebJobsStorage__accountName;
  const uri = (service: 'table' | 'queue', given: string | undefined) =>
    given ?? (account === undefined ? undefined : `https://${account}.${service}.core.windows.net`);
  const tableServiceUri = uri('table', settings.AzureWebJobsStorage__tableServiceUri);
  const queueServiceUri = uri('queue', settings.AzureWebJobsStorage__queueServiceUri);
  if (tableServiceUri === undefined || queueServiceUri === undefined) {
    problems.push(
      'AzureWebJobsStorage is missing: a connection string, or AzureWebJobsStorage__accountName, or both service URIs',
    );
    return undefined;
  }
  return {
    kind: 'identity',
    tableServiceUri,
    queueServiceUri,
    clientId: settings.AzureWebJobsStorage__clientId,
    managedIdentity: settings.AzureWebJobsStorage__credential === 'managedidentity',
  };
}

/** What `UseDevelopmentStorage=true` stands for: Azurite's published account; data-tables does not know the short form for http. */
const developmentStorage = [
  'DefaultEndpointsProtocol=http',
  'AccountName=devstoreaccount1',
  'AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
  'BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1',
  'QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1',
  'TableEndpoint=http://127.0.0.1:10002/devstoreaccount1',
].join(';');
