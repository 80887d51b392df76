// Who may POST to the pages: our own forms. There is no cookie to abuse; this keeps other sites from making a visitor's browser
// request mails or use a link. @see Fetch Metadata (Sec-Fetch-Site), OWASP CSRF Prevention Cheat Sheet
type Headers = { get(name: string): string | null };

/**
 * May this page POST go on? `Sec-Fetch-Site` decides if the browser sends it. Older browsers send `Origin`: `null` from our own
 * form (its page has the policy `no-referrer`), so only another site's origin is refused. Without either header it is no browser.
 * @param ownOrigins the site's origins, read only when an `Origin` has to be compared
 */
export async function isOwnPost(
  headers: Headers,
  allowedOrigins: readonly string[],
  ownOrigins: () => Promise<readonly string[]>,
): Promise<boolean> {
  const fetchSite = headers.get('sec-fetch-site')?.toLowerCase();
  if (fetchSite === 'cross-site') return false;
  if (fetchSite === 'same-origin' || fetchSite === 'none') return true;
  // `same-site` may be any other host of the domain.
  const origin = headers.get('origin');
  if (origin === null || origin === 'null' || allowedOrigins.includes(origin)) return true;
  return (await ownOrigins()).includes(origin);
}

/**
 * Is this GET loaded by another site's page (an image, a frame) instead of visited? Such a page could use up the visitor's limit
 * unnoticed.
 */
export function isEmbedded(headers: Headers): boolean {
  const destination = headers.get('sec-fetch-dest');
  return (
    headers.get('sec-fetch-site')?.toLowerCase() === 'cross-site' && destination !== null && destination !== 'document'
  );
}
