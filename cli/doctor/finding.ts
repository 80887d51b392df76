// What a check of the doctor is given and what it finds. A check changes nothing and never prints a setting's value.
import type { Clock } from '../../shared/clock';
import type { ConfigResult } from '../../shared/config';
import type { StorageClients } from '../../shared/storage/storage';

export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  readonly check: string;
  readonly what: string;
  /** What to do about it; with every `warn` and `fail`. */
  readonly cure?: string;
}

export interface CheckInput {
  readonly clock: Clock;
  readonly settings: ConfigResult;
  /** The app runs elsewhere (`--account`), with settings that are not at hand. */
  readonly isElsewhere: boolean;
  /** The `Values` of the settings file, if there is one. */
  readonly fileSettings: Readonly<Record<string, string>>;
  readonly storage: StorageClients;
  readonly siteId: string;
  readonly development: boolean;
}

/** An exception means that the check could not be made; the doctor says so and goes on. */
export type Check = (input: CheckInput) => Finding[] | Promise<Finding[]>;

export const ok = (check: string, what: string): Finding => ({ level: 'ok', check, what });
export const warn = (check: string, what: string, cure: string): Finding => ({ level: 'warn', check, what, cure });
export const fail = (check: string, what: string, cure: string): Finding => ({ level: 'fail', check, what, cure });
