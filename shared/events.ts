// What the app says about itself: one JSON object per event, with a constant `event` name (docs/events.md lists them all).
// An event never holds a reset key, a link, a password, an API key, a full address or a request URL.

/** One event. Values are plain; `mailId` is the one id from request to mail. */
export interface AppEvent {
  readonly event: string;
  readonly level?: 'info' | 'warn' | 'error';
  readonly [field: string]: string | number | boolean | readonly string[] | undefined;
}

/** Writes one event as one line. Never throws. */
export type Emit = (event: AppEvent) => void;

const maxFieldChars = 200;

/** The line of an event: one JSON object, strings cut to 200 characters; JSON escapes what could forge a second line. */
export function eventLine(event: AppEvent): string {
  return JSON.stringify(event, (_name, value: unknown) =>
    typeof value === 'string' && value.length > maxFieldChars ? `${value.slice(0, maxFieldChars)}…` : value,
  ).replace(/[\u007f-\u009f\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** What may be said of an unexpected error: its class and code, never its text, which can quote user input or secrets. */
export function errorFields(error: unknown): { errorName: string; errorCode?: string; errorAt?: string } {
  if (!(error instanceof Error)) return { errorName: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // The stack begins with the text; a line of the text may look like a frame.
  const [, ...frames] = (error.stack ?? '').split(error.message === '' ? error.name : error.message);
  const frame = /\n\s+at ([^\n]{1,150})/.exec(frames.at(-1) ?? '')?.[1];
  return {
    errorName: error.name,
    ...(code !== undefined && { errorCode: code }),
    ...(frame !== undefined && { errorAt: frame }),
  };
}
