// What a check of the doctor finds, and what it is given. A check looks and changes nothing; it never prints a setting's value.
import type { ConfigResult } from '../../shared/config';
import type { StorageClients } from '../../shared/services';
import type { Io } from '../support/io';

export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  /** What was looked at. */
  readonly check: string;
  /** What was found, as a sentence. */
  readonly what: string;
  /** What to do about it; with every `warn` and `fail`. */
  readonly cure?: string;
}

/** What the checks look at. */
export interface Patient {
  readonly io: Io;
  readonly settings: ConfigResult;
  /** The app runs elsewhere (`--account`), with settings that are not at hand. */
  readonly isElsewhere: boolean;
  /** The `Values` of the settings file, if there is one. */
  readonly fileSettings: Readonly<Record<string, string>>;
  readonly storage: StorageClients;
  readonly siteId: string;
  readonly development: boolean;
}

/** One check, one file. An exception means that it could not be made; the doctor says so and goes on. */
export type Check = (patient: Patient) => Finding[] | Promise<Finding[]>;

/** How long one question may take, in ms. */
export const questionMs = 10_000;

export const ok = (check: string, what: string): Finding => ({ level: 'ok', check, what });
export const warn = (check: string, what: string, cure: string): Finding => ({ level: 'warn', check, what, cure });
export const fail = (check: string, what: string, cure: string): Finding => ({ level: 'fail', check, what, cure });
