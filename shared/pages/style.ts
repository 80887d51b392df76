// The stylesheet of all pages, inline. Logical properties only, so that right-to-left languages need nothing more; system fonts;
// the colours of the mails. Every pair of colours has a contrast of ≥4.5:1, borders of fields ≥3:1 (WCAG 1.4.3, 1.4.11).
import { LRUCache } from 'lru-cache';
import { palettesOf, type Palette } from '../look';

const baseStyle = `
:root{color-scheme:light dark;--page:#f2f4f7;--card:#fff;--line:#dfe3e8;--ink:#1f2328;--soft:#57606a;--field:#6e7781;--bad:#b3261e;--badly:#fdf1f0;--good:#0a6b3d}
@media (prefers-color-scheme:dark){:root{--page:#16181c;--card:#22252b;--line:#3a3f47;--ink:#e8eaed;--soft:#b0b7c0;--field:#8d96a3;--bad:#f2b8b5;--badly:#3a2626;--good:#7bd8a3}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;min-block-size:100vh;min-block-size:100dvh;display:flex;flex-direction:column;align-items:center;padding:clamp(1.5rem,8vh,5rem) 1rem 2rem;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",Arial,sans-serif;overflow-wrap:anywhere}
header,main,footer{inline-size:100%;max-inline-size:28rem}
header img{display:block;margin:0 auto 1.25rem}
header p{margin:0 0 1.25rem;padding-inline:.25rem;font-size:1.25rem;font-weight:650;line-height:1.3;letter-spacing:-.01em;text-align:center}
main{padding:clamp(1.5rem,5vw,2.25rem) clamp(1.25rem,5vw,2.25rem);background:var(--card);border:1px solid var(--line);border-radius:14px;box-shadow:0 1px 2px rgb(0 0 0/.04),0 8px 24px rgb(0 0 0/.05)}
main>h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25;font-weight:650;letter-spacing:-.015em;text-wrap:balance;hyphens:auto;word-break:auto-phrase;overflow-wrap:break-word}
p{margin:0 0 1rem;text-wrap:pretty;word-break:auto-phrase}
main>:last-child,form>:last-child{margin-block-end:0}
.icon{display:block;inline-size:2.75rem;block-size:2.75rem;margin:0 0 1rem;padding:.625rem;border-radius:50%;background:var(--page);fill:none;stroke:var(--main);stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round}
form{margin:1.5rem 0 0}
label,.who span{display:block;margin:0 0 .375rem;font-weight:600}
.who{margin:0 0 1.25rem}.who bdi{color:var(--soft)}
.typed{font-weight:600}
.soft{color:var(--soft);font-size:.9375rem}
.hint{margin:0 0 .625rem;color:var(--soft);font-size:.9375rem}
.tools{display:flex;align-items:center;justify-content:space-between;gap:.75rem;min-block-size:2.25rem;margin:.375rem 0 0;color:var(--soft);font-size:.875rem}
.tools .ok{color:var(--good);font-weight:600}
.tools button{flex:none;padding:.375rem .625rem;margin-inline-end:-.625rem;border:0;border-radius:6px;background:none;color:var(--main);font:inherit;font-weight:600;cursor:pointer}
.tools button:hover{background:var(--page)}
.error{margin:0 0 .5rem;padding:.5rem .75rem;border-inline-start:4px solid var(--bad);border-radius:4px;background:var(--badly);color:var(--bad);font-size:.9375rem;font-weight:600}
.field{display:flex;align-items:stretch;background:var(--card);border:1px solid var(--field);border-radius:8px}
.field:focus-within{outline:3px solid var(--main);outline-offset:1px;border-color:var(--main)}
.bad .field{border:2px solid var(--bad)}
.field input{flex:1;min-inline-size:0;min-block-size:3rem;padding:.5rem .875rem;border:0;border-radius:8px;background:none;color:inherit;font:inherit;outline:0}
.block{margin:0 0 1.25rem}
.button{display:block;inline-size:100%;margin:1.5rem 0 0;padding:.75rem 1.25rem;min-block-size:3rem;border:1px solid transparent;border-radius:8px;background:var(--main);color:var(--on);font:inherit;font-weight:600;text-align:center;text-wrap:balance;text-decoration:none;cursor:pointer;transition:background-color .15s}
.button:hover,.button:active{background:var(--press)}
a{color:var(--main);text-underline-offset:.15em}
.other{margin:1.25rem 0 0;text-align:center;font-size:.9375rem}.other a{display:inline-block;padding:.25rem .5rem}
:is(a,button):focus-visible{outline:3px solid var(--main);outline-offset:2px;border-radius:8px}
.away{position:absolute;inline-size:1px;block-size:1px;margin:-1px;padding:0;border:0;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
footer{margin:1.25rem 0 0;color:var(--soft);font-size:.875rem;text-align:center}footer p{margin:0}footer a{display:inline-block;padding:.25rem}
[hidden]{display:none!important}
@media (prefers-reduced-motion:reduce){*{transition:none!important}}
@media (forced-colors:active){.button{border-color:ButtonText}}
`.replace(/\n/g, '');

const colors = ({ main, press, on }: Palette): string => `:root{--main:${main};--press:${press};--on:${on}}`;

/** Shades are computed once per colour; a site has one, and a new one after an edit. */
const styles = new LRUCache<string, string>({
  max: 4,
  memoMethod: (brandColor) => {
    const { light, dark } = palettesOf(brandColor);
    return `${colors(light)}@media (prefers-color-scheme:dark){${colors(dark)}}${baseStyle}`;
  },
});

/** CSS with the colours of the site. */
export const pageStyle = (brandColor = ''): string => styles.memo(brandColor);
