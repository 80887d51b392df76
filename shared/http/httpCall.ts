// What an entry of the table of HTTP calls says about a call. Registration, the backend twins and the OpenAPI document are made
// from the same entries.
import type * as z from 'zod';
import type { ProblemCode } from './answer';

/** A call that takes and answers JSON. */
export interface JsonCall {
  /** The function's name in the portal and the `operationId`. */
  readonly name: string;
  /** Below `/api/`. */
  readonly route: string;
  readonly method: 'GET' | 'POST';
  /** `function`: needs a function key. */
  readonly auth: 'anonymous' | 'function';
  readonly summary: string;
  readonly tag: 'password reset' | 'for operators';
  readonly body?: z.ZodType | undefined;
  /** The answers that are not problems, by status. */
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema: z.ZodType }>>;
  /** Besides `internal_error` and `unavailable`, and those of the body. */
  readonly problems: readonly ProblemCode[];
  /**
   * A second route below `/api/backend/`, with a function key, for a site's own server: its body may name the `clientIp` that it asks
   * for, and the limits per client apply to that, or not at all without it.
   */
  readonly backendTwin?: boolean | undefined;
}

/** One method of a page. */
export interface PageOperation {
  readonly summary: string;
  readonly form?: z.ZodType | undefined;
  /** Besides the problem pages. */
  readonly statuses: readonly number[];
}

/** A call that answers HTML. */
export interface PageCall {
  readonly name: string;
  readonly route: string;
  /** The operations by documented path: one function may serve several. */
  readonly operations: Readonly<
    Record<string, { readonly get: PageOperation; readonly post?: PageOperation | undefined }>
  >;
}
