// The list of common passwords, loaded with the first redemption: a cold start that answers a request does not unpack it.

/** Is this password on the list, whatever its letter case? */
export type CommonPasswords = (password: string) => boolean;

let loaded: Promise<CommonPasswords> | undefined;

/** About 30,000 passwords from leaks, lower case: the list of `@zxcvbn-ts/language-common`. */
export function loadCommonPasswords(): Promise<CommonPasswords> {
  loaded ??= import('@zxcvbn-ts/language-common').then(({ dictionary }) => {
    const common = new Set(dictionary['passwords-common']);
    return (password) => common.has(password.toLowerCase());
  });
  return loaded;
}
