// How a command fails: with words that say what to do. An SDK's own error text is never shown, it can hold keys and addresses.
import { StorageUnavailable } from '../../shared/errors';
import { errorFields } from '../../shared/events';

/** A failure that is explained. `exitCode` 2 means that the command line itself is wrong. */
export class CliError extends Error {
  constructor(
    message: string,
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
    this.name = 'CliError';
  }
}

const signInFailures = new Set([
  'CredentialUnavailableError',
  'AggregateAuthenticationError',
  'AuthenticationError',
  'AuthenticationRequiredError',
]);

const unreachable = 'is it running (`npm start` starts Azurite), and is AzureWebJobsStorage or --account right?';
const cures: Readonly<Record<string, string>> = {
  connection: unreachable,
  timeout: unreachable,
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  ENOTFOUND: 'there is no such host: is AzureWebJobsStorage or --account right?',
  EAI_AGAIN: 'the host name cannot be looked up: is this computer on the network?',
  contended: 'others keep changing the same row: try again.',
  TableNotFound:
    'a table is missing. `azd provision` makes them all, and so does the timer function seedSite (at start and hourly).',
  AuthorizationPermissionMismatch:
    'your sign-in lacks the roles "Storage Table Data Contributor" and "Storage Queue Data Contributor".',
  AuthorizationFailure: "the storage account's firewall refuses this computer, or shared keys are disabled.",
  AuthenticationFailed: "the account key is wrong, or this computer's clock is off.",
  InvalidAuthenticationInfo: 'the sign-in is for another tenant: `az login --tenant …`.',
  KeyBasedAuthenticationNotPermitted: 'shared keys are disabled: use --account NAME instead of a connection string.',
  '403': 'the account key is wrong, the sign-in lacks a role, or a firewall refuses this computer.',
  ServerBusy: 'it is overloaded: try again in a minute.',
};

/** What to do about storage that failed, as a half sentence. */
export function storageCure(error: StorageUnavailable): string {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (signInFailures.has(cause.name)) return 'no sign-in was found: run `az login` first.';
  }
  return cures[error.code] ?? `its error code is ${error.code}.`;
}

const parts: Readonly<Record<StorageUnavailable['part'], string>> = {
  tables: 'Table storage',
  queue: 'Queue storage',
  accounts: "The site's account directory",
};

/** An error in words for the operator. */
export function explain(error: unknown): string {
  if (error instanceof CliError) return error.message;
  if (error instanceof StorageUnavailable) {
    const cure = error.part === 'accounts' ? '`npm run site -- doctor` says what to do.' : storageCure(error);
    return `${parts[error.part]} failed (${error.code}): ${cure}`;
  }
  const { errorName, errorCode, errorAt } = errorFields(error);
  return `Unexpected error: ${[errorName, errorCode, errorAt].filter(Boolean).join(' ')}`;
}
