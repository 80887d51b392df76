// The app's only sources of time and randomness, so that tests can fix the first and nothing else draws the second.
import { randomBytes, randomInt } from 'node:crypto';

/** Tells the current instant. */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

/** 128 random bits as 22 base64url characters: mail ids and the `jti` of reset keys. */
export function newId(): string {
  return randomBytes(16).toString('base64url');
}

/** A whole number drawn evenly from `min` to `max`, both included; used to spread retries. */
export function randomBetween(min: number, max: number): number {
  return randomInt(Math.floor(min), Math.floor(max) + 1);
}
