// What a site may look like: readable colours, a small PNG, nothing else.
import { colord } from 'colord';
import * as z from 'zod';
import { lookColumns, palettesOf, readLogo, withoutBadLook } from '../../shared/look';
import { sampleLogo } from '../support/pageStates';

const schema = z.object(lookColumns);
const problem = (row: Record<string, unknown>): string | undefined => schema.safeParse(row).error?.issues[0]?.message;

it('reads the columns as the portal and the command line write them', () => {
  const row = { brandColor: ' #0B57D0', logo: sampleLogo, logoInMail: 'true', timeZone: 'Europe/Paris' };
  expect(schema.parse(row)).toEqual({ ...row, brandColor: '#0b57d0', logoInMail: true });
  expect(schema.parse({ brandColor: '', logo: ' ', logoInMail: '' })).toEqual({});
  expect(schema.parse({ brandColor: '#04a', logoInMail: false })).toEqual({ brandColor: '#0044aa', logoInMail: false });
});

it.each(['red', '#12', 'rgb(0,0,0)', '#0b57d0;}body{display:none', '#0b57d0ff'])(
  'refuses the colour %s',
  (brandColor) => {
    expect(problem({ brandColor })).toBe('is not a colour like #0b57d0');
  },
);

it.each(['#ffcc00', '#777777', '#ffffff'])('names the nearest readable colour instead of %s', (brandColor) => {
  const nearest = /needs 4\.5:1 .* is (#\w{6})$/.exec(problem({ brandColor }) ?? '')?.[1] ?? '';
  expect(problem({ brandColor: nearest })).toBeUndefined();
  expect(colord(nearest).contrast('#ffffff')).toBeLessThan(5.2); // no darker than it has to be
});

it.each(['#000000', '#0b57d0', '#886d00', '#5b2a86'])('%s is readable in light and dark', (brandColor) => {
  const { light, dark } = palettesOf(brandColor);
  for (const [color, background] of [
    ...[light.on, '#ffffff'].map((text) => [text, light.main]),
    ...[dark.on, '#22252b', '#16181c'].map((text) => [text, dark.main]),
    [light.on, light.press],
    [dark.on, dark.press],
  ] as [string, string][]) {
    expect([color, background, colord(color).contrast(background) >= 4.5]).toEqual([color, background, true]);
  }
});

it('drops the bad columns of a row, and says which', () => {
  const row = { name: 'CodaLab', brandColor: '#ffcc00', logo: 7, logoInMail: 'no', timeZone: 'Asia/Tokyo' };
  const { row: good, problems } = withoutBadLook(row);
  expect(good).toEqual({ name: 'CodaLab', timeZone: 'Asia/Tokyo' });
  expect(problems.map((each) => each.split(' ')[0])).toEqual(['brandColor', 'logo', 'logoInMail']);
  expect(withoutBadLook({ name: 'x' })).toEqual({ row: { name: 'x' }, problems: [] });
});

const png = Buffer.from(readLogo(sampleLogo)?.base64 ?? '', 'base64');
const asUrl = (bytes: Buffer): string => `data:image/png;base64,${bytes.toString('base64')}`;
const withSize = (width: number, height: number): string => {
  const resized = Buffer.from(png);
  resized.writeUInt32BE(width, 16);
  resized.writeUInt32BE(height, 20);
  return asUrl(resized);
};

it('shows a logo within 240 × 64 pixels', () => {
  expect(readLogo(sampleLogo)).toMatchObject({ width: 240, height: 64 });
  expect(readLogo(withSize(960, 128))).toMatchObject({ width: 240, height: 32 });
  expect(readLogo(withSize(16, 640))).toMatchObject({ width: 2, height: 64 });
});

it.each([
  ['an address', 'https://evil.example/logo.png'],
  ['an SVG', `data:image/svg+xml;base64,${Buffer.from('<svg onload="x"/>').toString('base64')}`],
  ['no image', withSize(0, 64)],
  ['a cut image', asUrl(png.subarray(0, -6))],
  ['bytes behind the image', asUrl(Buffer.concat([png, Buffer.from('<script>')]))],
  ['more behind it', `${sampleLogo}" onerror="x`],
  ['megabytes', asUrl(Buffer.alloc(5_000_000))],
])('refuses %s as a logo', (_name, logo) => {
  expect(readLogo(logo)).toBeUndefined();
  expect(problem({ logo })).toMatch(/^is not data:image/);
});
