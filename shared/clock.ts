// The app's only sources of time and randomness.
import { randomBytes, randomInt } from 'node:crypto';

/** Tells the current instant. */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

/** 128 random bits as 22 base64url characters: mail ids and the `jti` of reset keys. Never begins with `-`, as an option does. */
export function newId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newId() : id;
}

/** A whole number drawn evenly from `min` to `max`, both included; used to spread retries. */
export function randomBetween(min: number, max: number): number {
  return randomInt(Math.floor(min), Math.floor(max) + 1);
}
