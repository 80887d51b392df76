// Does the site's account directory answer, accept our signature, and verify our hashes? Asks for an address that nobody has, and tries to
// set the password of an id that does not exist.
import { newId } from '../../shared/clock';
import type { Account, AccountDirectory } from '../../shared/directory/accountDirectory';
import { StorageUnavailable } from '../../shared/errors';
import { hashPassword, type PasswordHasher } from '../../shared/password/passwordHash';
import { fail, ok, type Finding } from './finding';

const check = 'account directory';

export interface DirectoryCheckSettings {
  readonly passwordFormat: 'encoded' | 'plain';
  readonly hasher: PasswordHasher;
}

/** The findings about a directory of `ACCOUNT_DIRECTORY=http`. Changes nothing. */
export async function checkDirectory(
  directory: AccountDirectory,
  settings: DirectoryCheckSettings,
): Promise<Finding[]> {
  const { passwordFormat, hasher } = settings;
  try {
    if ((await directory.findByAddress('nobody@example.invalid')).length > 0)
      return [
        fail(check, 'The directory finds an account for an address that nobody has.', 'Compare whole addresses.'),
      ];
    const account = nobody();
    const { credentialVersion } = account;
    const password = passwordFormat === 'plain' ? newId() : await hashPassword(newId(), hasher);
    const change = { credentialVersion, password, resetKeyId: newId(), at: new Date() };
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

const nobody = (): Account => ({
  addressHash: '',
  id: `doctor-${newId()}`,
  email: 'nobody@example.invalid',
  username: 'nobody',
  canReset: false,
  credentialVersion: newId(),
  revision: '',
  locale: undefined,
  lastResetKeyId: undefined,
  passwordChangedAt: undefined,
  createdAt: undefined,
});

/** @returns what is wrong, and the cure */
function explanation(code: string, { passwordFormat, hasher }: DirectoryCheckSettings): [string, string] {
  switch (code) {
    case 'unsupported_hash':
      return passwordFormat === 'plain'
        ? [
            'The site takes hashes, but ACCOUNT_DIRECTORY_PASSWORD is plain.',
            'Make it the same on both sides (`PASSWORD` of the Django app).',
          ]
        : [
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
      return [
        'The clocks of this computer and of the site differ by more than 5 minutes.',
        'Synchronize both clocks (NTP).',
      ];
    case 'timeout':
      return ['The directory does not answer in time.', 'It has 3 seconds for a call: look at the load of the site.'];
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
        `What answers is no account directory (${code}).`,
        'ACCOUNT_DIRECTORY_URL is what stands before `/find`. The answers are described in docs/account-directory.openapi.json.',
      ];
    default:
      return code.startsWith('3')
        ? [
            `The directory redirects (${code}), which is not followed.`,
            'Set ACCOUNT_DIRECTORY_URL to the final https URL.',
          ]
        : [`The directory failed (${code}).`, "The site's own log says why."];
  }
}
