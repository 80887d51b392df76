// What the mailbox looks like. Everything from a mail is escaped; its HTML is shown by a frame without scripts.
import { createHash } from 'node:crypto';
import Mustache from 'mustache';
import { mailedLinks, type KeptMail } from './readMails';

/** What of a mail is shown. */
export const views = ['text', 'html', 'source'] as const;
export type View = (typeof views)[number];

/** For the frame that shows a mail's own HTML: no script, no origin. Its links open in a new tab, outside the sandbox. */
export const mailSandbox = 'allow-popups allow-popups-to-escape-sandbox';

const style = `
:root{color-scheme:light dark;--page:#f2f4f7;--card:#fff;--line:#dfe3e8;--ink:#1f2328;--soft:#57606a;--main:#0b57d0;--on:#fff;--pick:#e4edfc}
@media (prefers-color-scheme:dark){:root{--page:#16181c;--card:#22252b;--line:#3a3f47;--ink:#e8eaed;--soft:#b0b7c0;--main:#8ab4f8;--on:#10223d;--pick:#2c3a52}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;grid-template:auto 1fr/22rem 1fr;background:var(--page);color:var(--ink);font:.9375rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
header{grid-column:1/-1;display:flex;flex-wrap:wrap;align-items:baseline;gap:.25rem 1rem;padding:.875rem 1.25rem;background:var(--card);border-bottom:1px solid var(--line)}
h1{margin:0;font-size:1.125rem}header p{margin:0;color:var(--soft);font-size:.875rem}header span{display:flex;gap:1rem;margin-inline-start:auto}
a{color:var(--main)}
nav{border-inline-end:1px solid var(--line);background:var(--card);overflow:auto}
nav ol{list-style:none;margin:0;padding:0}
nav li a{display:block;padding:.75rem 1.25rem;border-bottom:1px solid var(--line);color:inherit;text-decoration:none}
nav li a:hover,nav li a[aria-current]{background:var(--pick)}
nav b{display:block;font-weight:600}nav span{display:flex;justify-content:space-between;gap:1rem;color:var(--soft);font-size:.8125rem}nav time{flex:none}
main{padding:1.25rem;min-width:0;display:flex;flex-direction:column;gap:1rem}
h2{margin:0;font-size:1.25rem;line-height:1.3}dl{display:grid;grid-template-columns:auto 1fr;gap:.125rem .75rem;margin:.5rem 0 0;color:var(--soft);font-size:.875rem}dd{margin:0}
.bar{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center}
.bar a{padding:.375rem .875rem;border:1px solid var(--line);border-radius:6px;background:var(--card);text-decoration:none}
.bar .tabs{display:flex;gap:.5rem;margin-inline-end:auto}
.bar a[aria-current]{background:var(--pick);font-weight:600}
.bar a.open{background:var(--main);border-color:var(--main);color:var(--on);font-weight:600}
pre,iframe{flex:1;width:100%;margin:0;min-height:26rem;border:1px solid var(--line);border-radius:8px;background:var(--card)}
pre{padding:1rem;font:.875rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre-wrap}
.none{margin:auto;max-width:26rem;text-align:center;color:var(--soft)}
:focus-visible{outline:3px solid var(--main);outline-offset:-3px}
@media (max-width:48rem){body{display:block}nav{max-height:14rem;border-bottom:1px solid var(--line)}iframe,pre{min-height:24rem}}
`.replace(/\n/g, '');

// Looks every second whether there is something new. A new mail appears in the list; what is being read stays.
const script = `(() => {
const shown = document.body.dataset.newest;
setInterval(async () => {
  try {
    const newest = await (await fetch('/dev/mailbox-newest')).text();
    if (newest !== shown) location.reload();
  } catch {}
}, 1000);
})();`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;

/** Content-Security-Policy of the page. */
export const pagePolicy = [
  `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; connect-src 'self'; frame-src 'self'`,
  "img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
].join('; ');

const template = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mailbox ({{mails.length}})</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body data-newest="{{newest}}">
<header><h1>Mailbox</h1><p>What the app would have sent. Nothing leaves this machine.</p>
<span><a href="{{appUrl}}/accounts/password/reset/">Pages</a> <a href="{{appUrl}}/api/openapi.json">OpenAPI</a> <a href="{{appUrl}}/api/health">Health</a> <a href="/dev/mailbox.json">Mails as JSON</a></span></header>
<nav aria-label="Mails"><ol>
{{#mails}}
<li><a href="/dev/mailbox/{{id}}"{{#isShown}} aria-current="true"{{/isShown}}><b>{{subject}}</b><span>{{to}} <time datetime="{{iso}}">{{time}}</time></span></a></li>
{{/mails}}
</ol></nav>
<main>
{{#mail}}
<div><h2>{{subject}}</h2>
<dl><dt>From</dt><dd>{{from}}</dd><dt>To</dt><dd>{{to}}</dd><dt>Date</dt><dd>{{iso}}</dd></dl></div>
<div class="bar">
<span class="tabs">
{{#tabs}}
<a href="/dev/mailbox/{{id}}?view={{view}}"{{#isShown}} aria-current="true"{{/isShown}}>{{label}}</a>
{{/tabs}}
</span>
{{#links}}
<a class="open" href="{{here}}" target="_blank" rel="noreferrer">{{text}}</a>
{{/links}}
</div>
{{#body}}
<pre tabindex="0" role="region" aria-label="Mail">{{.}}</pre>
{{/body}}
{{^body}}
<iframe title="The mail as HTML" sandbox="${mailSandbox}" src="/dev/mailbox/{{id}}/html"></iframe>
{{/body}}
{{/mail}}
{{^mail}}
<p class="none">No mail yet. <a href="{{appUrl}}/accounts/password/reset/">Ask for a reset</a>, and it appears here within a second or two.</p>
{{/mail}}
</main>
<script>${script}</script>
</body>
</html>
`;

/** @param mails newest first @param appUrl the app's origin, to which the mail's links lead */
export function mailboxPage(
  mails: readonly KeptMail[],
  shown: KeptMail | undefined,
  view: View,
  appUrl: string,
): string {
  const labels = { text: 'Text', html: 'HTML', source: 'Source' } as const;
  const links = shown === undefined ? [] : mailedLinks(shown, appUrl);
  const mail = shown && {
    ...shown,
    iso: shown.date.toISOString(),
    tabs: views.map((name) => ({ view: name, label: labels[name], isShown: name === view })),
    // A mail to several accounts has a button for each, whose words name the account.
    links: links.map(({ here, label }) => ({ here, text: (links.length > 1 && label) || 'Open the link here' })),
    body: view === 'html' ? undefined : shown[view],
  };
  return Mustache.render(template, {
    appUrl,
    newest: mails[0]?.id ?? '',
    mails: mails.map((item) => {
      const iso = item.date.toISOString();
      return { ...item, isShown: item.id === shown?.id, iso, time: iso.slice(11, 19) };
    }),
    mail,
  });
}
