// Can the accounts be read: the rows of the table, or the site's own directory?
import { newId } from '../../shared/clock';
import type { Account, AccountDirectory } from '../../shared/directory/accountDirectory';
import { createHttpDirectory } from '../../shared/directory/httpDirectory';
import { StorageUnavailable } from '../../shared/errors';
import { hashPassword, type PasswordHasher } from '../../shared/password/passwordHash';
import type { StorageClients } from '../../shared/storage/storageClients';
import { createAccountsAdmin } from '../storage/accountsAdmin';
import { count } from '../support/output';
import { isReadable } from './checkStorage';
import { fail, ok, warn, type Check, type Finding } from './finding';

export const checkAccounts: Check = async ({ settings, storage, io }) => {
  if (!settings.ok || settings.config.directory.kind === 'table') return checkTable(storage);
  const { directory, password } = settings.config;
  const passwordFormat = directory.password;
  const accounts = createHttpDirectory({ ...directory, passwordFormat }, () => {}, io.clock);
  return checkDirectory(accounts, { passwordFormat, hasher: password.hasher });
};

/** `accounts list --broken` looks at all rows. */
const looksAt = 1000;

async function checkTable(storage: StorageClients): Promise<Finding[]> {
  const check = 'accounts';
  if (!(await isReadable(storage, 'Accounts'))) return [];
  let seen = 0;
  let broken = 0;
  for await (const { read } of createAccountsAdmin(storage.table('Accounts')).list()) {
    if ('problem' in read) broken += 1;
    if (++seen === looksAt) break;
  }
  if (seen === 0) {
    const cure =
      '`npm run accounts -- import FILE` or `add`; docs/accounts-table.md. Or are they in a database of the site (ACCOUNT_DIRECTORY=http)?';
    return [warn(check, 'There are no accounts: no mail will be sent to anybody.', cure)];
  }
  const first = `${seen === looksAt ? 'first ' : ''}${count(seen, 'account')}`;
  if (broken === 0) return [ok(check, `The ${first} can be read.`)];
  const cure =
    '`npm run accounts -- list --broken` names them; fix them in the Storage browser or with `accounts set-email`.';
  return [warn(check, `Of the ${first} the app skips ${broken}: the rows are not valid.`, cure)];
}

interface DirectoryCheckSettings {
  readonly passwordFormat: 'encoded' | 'plain';
  readonly hasher: PasswordHasher;
}

/**
 * Does the directory answer, accept the signature, and verify our hashes? Asks for an address that nobody has, and tries to set the
 * password of an id that does not exist: changes nothing.
 */
export async function checkDirectory(
  directory: AccountDirectory,
  settings: DirectoryCheckSettings,
): Promise<Finding[]> {
  const check = 'account directory';
  const { passwordFormat, hasher } = settings;
  try {
    if ((await directory.findByAddress(nobody.email)).length > 0) {
      return [
        fail(check, 'The directory finds an account for an address that nobody has.', 'Compare whole addresses.'),
      ];
    }
    const account = { ...nobody, id: `doctor-${newId()}`, credentialVersion: newId() };
    const password = passwordFormat === 'plain' ? newId() : await hashPassword(newId(), hasher);
    const change = { credentialVersion: account.credentialVersion, password, resetKeyId: newId(), at: new Date() };
    const { outcome } = await directory.setPassword(account, change);
    if (outcome === 'changed') {
      const what = 'The directory says that it set the password of an account that does not exist.';
      return [fail(check, what, 'Answer 404 for an unknown id, and 409 for another credentialVersion.')];
    }
    const hashes = passwordFormat === 'plain' ? '' : ` and verifies ${hasher} hashes`;
    return [ok(check, `The site's account directory answers, accepts the signature${hashes}.`)];
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    return [fail(check, ...explanation(error.code, settings))];
  }
}

const nobody: Account = {
  ...{ addressHash: '', id: '', email: 'nobody@example.invalid', username: 'nobody', canReset: false },
  ...{ credentialVersion: '', revision: '', locale: undefined, lastResetKeyId: undefined },
  ...{ passwordChangedAt: undefined, createdAt: undefined },
};

/** @returns what is wrong, and the cure */
function explanation(code: string, { passwordFormat, hasher }: DirectoryCheckSettings): [string, string] {
  switch (code) {
    case 'unsupported_hash':
      if (passwordFormat === 'plain') {
        const cure = 'Set the same on both sides (`PASSWORD` of the Django app).';
        return ['The site expects hashes, but ACCOUNT_DIRECTORY_PASSWORD is plain.', cure];
      }
      return [
        `The site cannot verify ${hasher} hashes.`,
        'Add the hasher to the site (Django: `pip install argon2-cffi`), set PASSWORD_HASHER to one that it has, such as pbkdf2_sha256, or ' +
          'ACCOUNT_DIRECTORY_PASSWORD=plain on both sides.',
      ];
    case 'bad_signature':
    case '401':
    case '403':
      return [
        `The site refuses the signature (${code}).`,
        'The first of ACCOUNT_DIRECTORY_SECRETS must be one that the site accepts. Nothing on the way may change the body.',
      ];
    case 'stale':
      return ["This computer's clock and the site's differ by more than 5 minutes.", 'Synchronize both (NTP).'];
    case 'timeout':
      return ['The directory does not answer in time.', 'It has 3 seconds for a call: check the load of the site.'];
    case 'tls':
      return [
        'The certificate of the site is not trusted.',
        'Renew it, and send the whole chain; the name must be that of ACCOUNT_DIRECTORY_URL.',
      ];
    case 'connection_refused':
    case 'connection_lost':
    case 'dns':
    case 'unreachable':
      return [
        `The directory cannot be reached (${code}).`,
        'Is ACCOUNT_DIRECTORY_URL right, and may this computer reach it?',
      ];
    case 'not_json':
    case 'bad_shape':
    case 'too_large':
    case '404':
    case '405':
      return [
        `The answer is not that of an account directory (${code}).`,
        'ACCOUNT_DIRECTORY_URL is the part before `/find`. The answers are described in docs/account-directory.openapi.json.',
      ];
    default:
      return code.startsWith('3')
        ? [`The directory redirects (${code}).`, 'Redirects are not followed: use the final https URL.']
        : [`The directory failed (${code}).`, "The site's own log says why."];
  }
}
