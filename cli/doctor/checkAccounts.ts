// Can the accounts be read: the rows of the table, or the site's own directory?
import { newId } from '../../shared/clock';
import type { Account, AccountDirectory } from '../../shared/directory/accountDirectory';
import { createHttpDirectory } from '../../shared/directory/httpDirectory';
import { StorageUnavailable } from '../../shared/errors';
import { hashPassword, type PasswordHasher } from '../../shared/password/passwordHash';
import type { StorageClients } from '../../shared/storage/storage';
import { createAccountsAdmin } from '../storage/accountsAdmin';
import { count } from '../support/output';
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
  let seen = 0;
  let broken = 0;
  for await (const { read } of createAccountsAdmin(storage.table('Accounts')).list()) {
    if ('problem' in read) broken += 1;
    if (++seen === looksAt) break;
  }
  if (seen === 0) {
    const cure = '`npm run accounts -- import FILE`, or ACCOUNT_DIRECTORY=http if they are in a database of the site.';
    return [warn(check, 'There are no accounts: no mail will be sent to anybody.', cure)];
  }
  const first = `${seen === looksAt ? 'first ' : ''}${count(seen, 'account')}`;
  if (broken === 0) return [ok(check, `The ${first} can be read.`)];
  const cure = '`npm run accounts -- list --broken` names them, and says why.';
  return [warn(check, `Of the ${first} the app skips ${broken}: the rows are not valid.`, cure)];
}

/**
 * Does the directory answer, accept the signature, and verify our hashes? Asks for an address that nobody has, and tries to set the
 * password of an id that does not exist: changes nothing.
 */
export async function checkDirectory(
  directory: AccountDirectory,
  { passwordFormat, hasher }: { passwordFormat: 'encoded' | 'plain'; hasher: PasswordHasher },
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
    if (code === 'unsupported_hash' && !isPlain) {
      const cure = `Add the hasher to the site, or set PASSWORD_HASHER to one that it has, such as pbkdf2_sha256.`;
      return [fail(check, `The site cannot verify ${hasher} hashes.`, cure)];
    }
    const [, what = '', cure = ''] = faults.find(([codes]) => codes.test(code)) ?? [];
    return [fail(check, `${what} (${code}).`, cure)];
  }
}

const nobody: Account = {
  ...{ addressHash: '', id: '', email: 'nobody@example.invalid', username: 'nobody', canReset: false },
  ...{ credentialVersion: '', revision: '', locale: undefined, lastResetKeyId: undefined },
  ...{ passwordChangedAt: undefined, createdAt: undefined },
};

/** By the code of the failure, the first that fits: what is wrong, and the cure. */
const faults: readonly (readonly [RegExp, string, string])[] = [
  [/^unsupported_hash$/, 'ACCOUNT_DIRECTORY_PASSWORD is plain, the site expects hashes', 'Set the same on both sides.'],
  [
    /^(?:bad_signature|401|403)$/,
    'The site refuses the signature',
    'The first of ACCOUNT_DIRECTORY_SECRETS must be one that the site accepts. Nothing on the way may change the body.',
  ],
  [/^stale$/, "This computer's clock and the site's differ by more than 5 minutes", 'Synchronize both (NTP).'],
  [/^timeout$/, 'The directory does not answer in time', 'It has 3 seconds for a call: check the load of the site.'],
  [
    /^tls$/,
    "The site's certificate is not trusted",
    'It must be current, for the name in the URL, with its whole chain.',
  ],
  [/^(?:connection_\w+|dns|unreachable)$/, 'The directory cannot be reached', 'Is ACCOUNT_DIRECTORY_URL right?'],
  [
    /^(?:not_json|bad_shape|too_large|404|405)$/,
    'The answer is not that of an account directory',
    'ACCOUNT_DIRECTORY_URL is the part before `/find`; docs/account-directory.openapi.json has the answers.',
  ],
  [/^3/, 'The directory redirects', 'Redirects are not followed: use the final https URL.'],
  [/./, 'The directory failed', "The site's own log says why."],
];
