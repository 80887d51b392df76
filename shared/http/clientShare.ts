// Notices when nearly all requests seem to come from one client: mostly a wrong TRUSTED_PROXY_HOPS, which would limit all people
// as one. Constant memory, no I/O.

/** How many requests make a window. */
const windowSize = 500;
/** In a majority vote over a window, votes left over of ≥0.8 mean a share of ≥0.9. */
const leastVotes = 0.8 * windowSize;

export interface ClientShare {
  /** Counts a request. @returns true once at the end of a window in which one client made ≥90 % of all requests */
  note(client: string): boolean;
}

/** @see Boyer and Moore, MJRTY: a fast majority vote algorithm */
export function createClientShare(): ClientShare {
  let candidate = '';
  let votes = 0;
  let requests = 0;
  return {
    note: (client) => {
      if (votes === 0) candidate = client;
      votes += client === candidate ? 1 : -1;
      requests += 1;
      if (requests < windowSize) return false;
      const nearlyAll = votes >= leastVotes;
      votes = 0;
      requests = 0;
      return nearlyAll;
    },
  };
}
