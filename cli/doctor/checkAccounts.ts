// Can the accounts be read: the rows of the table, or the site's own directory?
import { createHttpDirectory } from '../../shared/directory/httpDirectory';
import { StorageUnavailable } from '../../shared/errors';
import { createAccountsAdmin } from '../storage/accountsAdmin';
import { count } from '../support/output';
import { isReadable } from './checkStorage';
import { fail, ok, warn, type Check, type CheckInput, type Finding } from './finding';

const check = 'accounts';
/** `accounts list --broken` looks at all rows. */
const looksAt = 1000;

export const checkAccounts: Check = async (input) => {
  const { settings, storage } = input;
  if (settings.ok && settings.config.directory.kind === 'http') return checkDirectory(input);
  if (!(await isReadable(storage, 'Accounts'))) return [];
  let seen = 0;
  let broken = 0;
  for await (const { read } of createAccountsAdmin(storage.table('Accounts')).list()) {
    if ('problem' in read) broken += 1;
    if (++seen === looksAt) break;
  }
  if (seen === 0) {
    return [
      warn(
        check,
        'There are no accounts: no mail will be sent to anybody.',
        '`npm run accounts -- import FILE` or `add`; docs/accounts-table.md. Or are they in a database of the site (ACCOUNT_DIRECTORY=http)?',
      ),
    ];
  }
  const first = `${seen === looksAt ? 'first ' : ''}${count(seen, 'account')}`;
  if (broken === 0) return [ok(check, `The ${first} can be read.`)];
  return [
    warn(
      check,
      `Of the ${first} the app skips ${broken}: the rows are not valid.`,
      '`npm run accounts -- list --broken` names them; fix them in the Storage browser or with `accounts set-email`.',
    ),
  ];
};

const address = 'Is ACCOUNT_DIRECTORY_URL right, and may this computer reach it?';
const secret = 'Do ACCOUNT_DIRECTORY_SECRETS and the site have the same secret?';
const answers = 'The site has to answer as docs/account-directory.openapi.json says.';
const cures: Readonly<Record<string, string>> = {
  connection_refused: address,
  unreachable: address,
  dns: 'There is no such host: is ACCOUNT_DIRECTORY_URL right?',
  tls: 'The certificate is not trusted, or is for another name. NODE_EXTRA_CA_CERTS adds an authority.',
  timeout: 'The site took more than 3 seconds: is the column of the address indexed?',
  connection_lost: 'The site closed the connection: see its own log.',
  '401': secret,
  '403': secret,
  bad_signature: secret,
  stale: "The site refuses the time of the call: is this computer's or the site's clock wrong?",
  replayed: 'The site has seen this call before: does a proxy in front of it repeat calls?',
  unsupported_hash:
    'The site cannot verify the hash: set PASSWORD_HASHER to pbkdf2_sha256, or add the hasher to the site.',
  '404': `There is nothing at this URL. ${address}`,
  '405': answers,
  not_json: answers,
  bad_shape: answers,
  too_large: answers,
};

/** Asks for an address that nobody has; a call that sets a password is never made. */
async function checkDirectory({ settings, io }: CheckInput): Promise<Finding[]> {
  if (!settings.ok || settings.config.directory.kind !== 'http') return [];
  const { directory } = settings.config;
  const findings: Finding[] = [];
  const accounts = createHttpDirectory(
    directory,
    (event) => {
      if ('reason' in event && event.reason === 'other_address') findings.push(loose);
    },
    io.clock,
  );
  try {
    const found = await accounts.findByAddress('nobody@doctor.invalid');
    if (found.length > 0)
      return [fail(check, 'The site returns an account for an address that cannot exist.', answers)];
    return [...findings, ok(check, "The site's account directory answers and accepts the signature.")];
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    const cure = cures[error.code] ?? (/^3\d\d$/.test(error.code) ? `Redirects are not followed. ${address}` : answers);
    return [fail(check, `The site's account directory failed (${error.code}): mails wait and pages answer 503.`, cure)];
  }
}

const loose = warn(check, 'The site returns accounts with another address than the one that was asked for.', answers);
