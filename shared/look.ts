// How a site looks: the brand colour and the logo of its row, checked when the row is read. Nothing remote, no SVG.
import { colord, extend } from 'colord';
import a11y from 'colord/plugins/a11y';
import * as z from 'zod';

extend([a11y]);

/** Colours as `#rrggbb`: `main` for buttons and links, `press` for a pressed button, `on` for the text of a button. */
export interface Palette {
  readonly main: string;
  readonly press: string;
  readonly on: string;
}

export interface Palettes {
  readonly light: Palette;
  readonly dark: Palette;
}

const defaultPalettes: Palettes = {
  light: { main: '#0b57d0', press: '#0842a0', on: '#ffffff' },
  dark: { main: '#8ab4f8', press: '#b3cefb', on: '#10223d' },
};

/** What stands behind links and, in light, what is at least as dark as the text of a button: the darker of the two backgrounds counts. */
const lightBackground = '#f2f4f7';
const darkBackground = '#22252b';
/** WCAG 2.2, 1.4.3 */
const minContrast = 4.5;

/** The colours of pages and mails; without a brand colour the built-in ones. In the dark a lighter shade of the brand colour is used. */
export function palettesOf(brandColor = ''): Palettes {
  if (brandColor === '') return defaultPalettes;
  const dark = nearestReadable(brandColor, darkBackground, '#ffffff');
  return {
    light: { main: brandColor, press: mix(brandColor, '#000000', 0.25), on: '#ffffff' },
    dark: { main: dark, press: mix(dark, '#ffffff', 0.35), on: '#101418' },
  };
}

/** The first colour on the way from `color` to `end` whose contrast with `background` is enough. */
function nearestReadable(color: string, background: string, end: string): string {
  for (let share = 0; share < 1; share += 1 / 256) {
    const mixed = mix(color, end, share);
    if (colord(mixed).contrast(background) >= minContrast) return mixed;
  }
  return end;
}

function mix(color: string, end: string, share: number): string {
  const [from, to] = [colord(color).rgba, colord(end).rgba];
  const channel = (name: 'r' | 'g' | 'b'): number => from[name] + (to[name] - from[name]) * share;
  return colord({ r: channel('r'), g: channel('g'), b: channel('b') }).toHex();
}

/** An image that fits into 240 × 64 CSS pixels. */
export interface Logo {
  readonly dataUrl: string;
  readonly base64: string;
  readonly width: number;
  readonly height: number;
}

const maxLogoBytes = 10 * 1024;
const pngSignature = Buffer.from('89504e470d0a1a0a', 'hex');

/** Reads a `data:` URL of a PNG. @returns undefined for anything else, for more than 10 KB, and for bytes around the image */
export function readLogo(dataUrl: string): Logo | undefined {
  const base64 = /^data:image\/png;base64,([A-Za-z0-9+/]+={0,2})$/.exec(dataUrl.slice(0, 2 * maxLogoBytes))?.[1];
  if (base64 === undefined) return undefined;
  const png = Buffer.from(base64, 'base64');
  if (png.length > maxLogoBytes || !png.subarray(0, 8).equals(pngSignature)) return undefined;
  if (chunkTypes(png).at(0) !== 'IHDR' || chunkTypes(png).at(-1) !== 'IEND') return undefined;
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  if (width === 0 || height === 0) return undefined;
  const scale = Math.min(1, 240 / width, 64 / height);
  const shown = (length: number): number => Math.max(1, Math.round(length * scale));
  return { dataUrl, base64, width: shown(width), height: shown(height) };
}

/** The chunks that follow each other to the very end of the file. @see PNG §5.3 */
function chunkTypes(png: Buffer): string[] {
  const types: string[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (at + 12 > png.length) return [];
    types.push(png.toString('latin1', at + 4, at + 8));
    if (at + 12 + png.readUInt32BE(at) > png.length) return [];
  }
  return types;
}

function isTimeZone(name: string): boolean {
  if (name === 'UTC') return true; // a formatter costs 10 ms at start
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** A column of the site row that may be missing; an empty one counts as missing. */
export const optionalColumn = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (typeof value === 'string' && value.trim() === '' ? undefined : value), schema.optional());

/** The columns of the site row that say how it looks. */
export const lookColumns = {
  /** `#rrggbb` or `#rgb`, readable as a button under white text and as a link. */
  brandColor: optionalColumn(
    z
      .string()
      .trim()
      .regex(/^#(?:[\da-f]{3}|[\da-f]{6})$/i, 'is not a colour like #0b57d0')
      .transform((color) => colord(color).toHex())
      .superRefine((color, context) => {
        const contrast = colord(color).contrast(lightBackground);
        if (contrast >= minContrast) return;
        const nearest = nearestReadable(color, lightBackground, '#000000');
        const message = `has a contrast of ${contrast}:1 and needs ${minContrast}:1 to be readable: the nearest colour that has it is ${nearest}`;
        context.addIssue({ code: 'custom', message });
      }),
  ),
  /** A PNG as `data:` URL. */
  logo: optionalColumn(
    z
      .string()
      .trim()
      .refine((text) => readLogo(text) !== undefined, 'is not data:image/png;base64,… of a PNG of at most 10 KB'),
  ),
  /** Whether mails show the logo, too. */
  logoInMail: optionalColumn(
    z
      .union([z.boolean(), z.enum(['true', 'false'])], { error: 'is neither true nor false' })
      .transform((value) => value === true || value === 'true'),
  ),
  /** IANA name, for the expiry line of the mails. */
  timeZone: optionalColumn(z.string().trim().refine(isTimeZone, 'is not a time zone like Europe/Paris')),
} as const;

/** The columns as the app reads them. */
export interface SiteLook {
  readonly brandColor?: string | undefined;
  readonly logo?: string | undefined;
  readonly logoInMail?: boolean | undefined;
  readonly timeZone?: string | undefined;
}

/**
 * A stored row without those look columns that are bad: a mistake in a colour must not take the site's row out of use.
 * @returns the problems for an event, never a value
 */
export function withoutBadLook(row: Readonly<Record<string, unknown>>): {
  readonly row: Readonly<Record<string, unknown>>;
  readonly problems: readonly string[];
} {
  const problems = new Map<string, string>();
  for (const [name, schema] of Object.entries(lookColumns)) {
    const { error } = schema.safeParse(row[name]);
    if (error !== undefined) problems.set(name, `${name} ${error.issues[0]?.message ?? ''}`);
  }
  const good = Object.entries(row).filter(([name]) => !problems.has(name));
  return { row: Object.fromEntries(good), problems: [...problems.values()] };
}
