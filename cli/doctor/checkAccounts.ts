// Can the accounts be read: the rows of the table, or the site's own directory?
import { newId } from '../../shared/clock';
import type { Account, AccountDirectory } from '../../shared/directory/accountDirectory';
import { createHttpDirectory } from '../../shared/directory/httpDirectory';
import { StorageUnavailable } from '../../shared/errors';
import { hashPassword, type PasswordHasher } from '../../shared/password/passwordHash';
import type { StorageClients } from '../../shared/storage/storage';
import { createAccountsAdmin } from '../storage/accountsAdmin';
import { count } from '../support/output';
import { isReadable } from './checkStorage';
import { fail, ok, warn, type Check, type Finding } from './finding';

export const checkAccounts: Check = async ({ settings, storage, clock }) => {
  if (!settings.ok || settings.config.directory.kind === 'table') return checkTable(storage);
  const { directory, password } = settings.config;
  const accounts = createHttpDirectory(directory, () => {}, clock);
  return checkDirectory(accounts, { passwordFormat: directory.passwordFormat, hasher: password.hasher });
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
  { passwordFormat, hasher }: DirectoryCheckSettings,
): Promise<Finding[]> {
  const check = 'account directory';
  const isPlain = passwordFormat === 'plain';
  try {
    if ((await directory.findByAddress(nobody.email)).length > 0) {
      const what = 'The directory finds an account for an address that nobody has.';
      return [fail(check, what, 'Compare whole addresses.')];
    }
    const account = { ...nobody, id: `doctor-${newId()}`, credentialVersion: newId() };
    const password = isPlain ? newId() : await hashPassword(newId(), hasher);
    const change = { credentialVersion: account.credentialVersion, password, resetKeyId: newId(), at: new Date() };
    const { outcome } = await directory.setPassword(account, change);
    if (outcome === 'changed') {
      const what = 'The directory says that it set the password of an account that does not exist.';
      return [fail(check, what, 'Answer 404 for an unknown id, and 409 for another credentialVersion.')];
    }
    const hashes = isPlain ? '' : ` and verifies ${hasher} hashes`;
    return [ok(check, `The site's account directory answers, accepts the signature${hashes}.`)];
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    const { code } = error;
    if (code === 'unsupported_hash' && !isPlain)
      return [fail(check, `The site cannot verify ${hasher} hashes.`, addHasher)];
    const [what, cure] = faults[code] ?? (code.startsWith('3') ? redirect : unknown);
    return [fail(check, what.replace('CODE', code), cure)];
  }
}

const nobody: Account = {
  ...{ addressHash: '', id: '', email: 'nobody@example.invalid', username: 'nobody', canReset: false },
  ...{ credentialVersion: '', revision: '', locale: undefined, lastResetKeyId: undefined },
  ...{ passwordChangedAt: undefined, createdAt: undefined },
};

/** What is wrong, and the cure. */
type Fault = readonly [string, string];

const addHasher =
  'Add the hasher to the site (Django: `pip install argon2-cffi`), set PASSWORD_HASHER to one that it has, such as pbkdf2_sha256, or ' +
  'ACCOUNT_DIRECTORY_PASSWORD=plain on both sides.';
const signature: Fault = [
  'The site refuses the signature (CODE).',
  'The first of ACCOUNT_DIRECTORY_SECRETS must be one that the site accepts. Nothing on the way may change the body.',
];
const unreachable: Fault = [
  'The directory cannot be reached (CODE).',
  'Is ACCOUNT_DIRECTORY_URL right, and may this computer reach it?',
];
const otherAnswer: Fault = [
  'The answer is not that of an account directory (CODE).',
  'ACCOUNT_DIRECTORY_URL is the part before `/find`. The answers are described in docs/account-directory.openapi.json.',
];
const redirect: Fault = ['The directory redirects (CODE).', 'Redirects are not followed: use the final https URL.'];
const unknown: Fault = ['The directory failed (CODE).', "The site's own log says why."];

const faults: Readonly<Record<string, Fault>> = {
  unsupported_hash: [
    'The site expects hashes, but ACCOUNT_DIRECTORY_PASSWORD is plain.',
    'Set the same on both sides (`PASSWORD` of the Django app).',
  ],
  bad_signature: signature,
  '401': signature,
  '403': signature,
  stale: ["This computer's clock and the site's differ by more than 5 minutes.", 'Synchronize both (NTP).'],
  timeout: ['The directory does not answer in time.', 'It has 3 seconds for a call: check the load of the site.'],
  tls: [
    'The certificate of the site is not trusted.',
    'Renew it, and send the whole chain; the name must be that of ACCOUNT_DIRECTORY_URL.',
  ],
  connection_refused: unreachable,
  connection_lost: unreachable,
  dns: unreachable,
  unreachable,
  not_json: otherAnswer,
  bad_shape: otherAnswer,
  too_large: otherAnswer,
  '404': otherAnswer,
  '405': otherAnswer,
};
