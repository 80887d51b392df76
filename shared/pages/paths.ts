// Where the pages are: the paths that CodaLab's Django always had. Every redirect and form of ours is built from these only.

export const askPath = '/accounts/password/reset/';
export const sentPath = '/accounts/password/reset/done/';
/** Followed by the reset key and a slash. */
export const keyPath = '/accounts/password/reset/key/';
export const passwordSetPath = '/accounts/password/reset/key/done/';
