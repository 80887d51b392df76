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
  const fetchSite = headers.get('sec-fetch-site')?.toLowerCase();
  if (fetchSite === 'cross-site') return false;
  if (fetchSite === 'same-origin' || fetchSite === 'none') return true;
  // No word, or `same-site`: a neighbour under the same domain is not us.
  const origin = headers.get('origin');
  if (origin === null || origin === 'null' || allowedOrigins.includes(origin)) return true;
  return (await ownOrigins()).includes(origin);
}

/**
 * Is this GET part of another site's page (an image, a frame) and not a visit? Such a page could spend the visitor's limit with
 * links that it loads behind her back.
 */
export function isEmbedded(headers: Headers): boolean {
  const destination = headers.get('sec-fetch-dest');
  return (
    headers.get('sec-fetch-site')?.toLowerCase() === 'cross-site' && destination !== null && destination !== 'document'
  );
}
