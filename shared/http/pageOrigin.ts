// Who may POST to the pages: our own forms. There is no cookie to ride on; this keeps other sites from making a visitor's
// browser ask for mails or use a link. @see Fetch Metadata (Sec-Fetch-Site), OWASP CSRF Prevention Cheat Sheet
type Headers = { get(name: string): string | null };

/**
 * May this page POST go on? A browser's own word (`Sec-Fetch-Site`) decides where there is one. Older browsers send `Origin`:
 * `null` from our own form (its page says `no-referrer`), so only a foreign site's name is refused. Neither header: no browser.
 * @param ownOrigins the site's origins, asked for only when an `Origin` is to be compared
 */
export async function isOwnPost(
  headers: Headers,
  allowedOrigins: readonly string[],
  ownOrigins: () => Promise<readonly string[]>,
): Promise<boolean> {
  const fetchSite = headers.get('sec-fetch-site');
  if (fetchSite !== null) return fetchSite.toLowerCase() !== 'cross-site';
  const origin = headers.get('origin');
  if (origin === null || origin === 'null' || allowedOrigins.includes(origin)) return true;
  return (await ownOrigins()).includes(origin);
}
