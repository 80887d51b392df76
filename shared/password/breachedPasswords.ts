// Asks the Pwned Passwords range API whether a password was found in a breach. Only the first five hex digits of its SHA-1
// leave the process (k-anonymity). Fails open: an outage there must not lock anybody out here.
import { createHash } from 'node:crypto';
import { errorFields, type Emit } from '../events';

const timeoutMs = 1500;
const maxAnswerChars = 2_000_000;

/**
 * @param baseUrl `PWNED_PASSWORDS_URL`
 * @returns true when the password is known to have leaked; false when not, or when the service does not answer in 1.5 s (logged)
 * @see https://haveibeenpwned.com/API/v3#PwnedPasswords (`Add-Padding` hides the size of the answer)
 */
export async function isBreachedPassword(baseUrl: string, password: string, emit: Emit): Promise<boolean> {
  const digest = createHash('sha1').update(password, 'utf8').digest('hex').toUpperCase();
  try {
    const response = await fetch(new URL(`/range/${digest.slice(0, 5)}`, baseUrl), {
      headers: { 'Add-Padding': 'true' },
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const text = (await response.text()).slice(0, maxAnswerChars);
    const suffix = digest.slice(5);
    return text.split('\n').some((line) => {
      const [found, count] = line.trim().split(':');
      return found === suffix && Number(count) > 0; // padding lines count 0
    });
  } catch (error) {
    emit({ event: 'breachCheckSkipped', level: 'warn', ...errorFields(error) });
    return false;
  }
}
