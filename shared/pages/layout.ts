// The frame of every page and the parts of their contents, as Mustache templates. `{{…}}` is escaped; only the stylesheet and the
// script, whose hashes the policy names, are put in as they are.
import { createHash } from 'node:crypto';
import { script } from './script';

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;

const scriptHash = hashOf(script);

/** For pages only: what is inline is named by its hash, and nothing else is loaded. @see Content Security Policy Level 3 */
export const contentSecurityPolicy = (style: string): string =>
  [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    `script-src ${scriptHash}`,
    'img-src data:', // the logo, and the empty icon that keeps browsers from asking for /favicon.ico
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');

/** The frame; the partial `content` is one of the templates of `contents`. */
export const layout = `<!DOCTYPE html>
<html lang="{{locale}}" dir="{{dir}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<meta name="format-detection" content="telephone=no">
<title>{{windowTitle}}</title>
<link rel="icon" href="data:,">
<style>{{{style}}}</style>
</head>
<body{{#keylessPath}} data-keyless="{{keylessPath}}"{{/keylessPath}}>
{{#siteName}}
<header>{{#logo}}<img src="{{dataUrl}}" width="{{width}}" height="{{height}}" alt="{{siteName}}">{{/logo}}{{^logo}}<p dir="auto">{{siteName}}</p>{{/logo}}</header>
{{/siteName}}
<main>
{{#icon}}
<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="{{icon}}"/></svg>
{{/icon}}
<h1>{{title}}</h1>
{{> content}}
</main>
{{#contact}}
<footer><p>{{help}} <a href="{{href}}"><bdi>{{address}}</bdi></a></p></footer>
{{/contact}}
<script>${script}</script>
</body>
</html>
`;

/** A link to another page, below everything else. */
const other = `{{#other}}
<p class="other"><a href="{{url}}">{{label}}</a></p>
{{/other}}`;

const forgotPassword = `<p>{{intro}}</p>
<form method="post" action="{{action}}" novalidate>
<div class="block{{#error}} bad{{/error}}">
<label for="email">{{email}}</label>
{{#error}}
<p class="error" id="error">{{error}}</p>
{{/error}}
<div class="field"><input id="email" name="email" value="{{typed}}" type="text" inputmode="email" dir="ltr" autocomplete="email" autocapitalize="none" autocorrect="off" spellcheck="false" required aria-invalid="{{invalid}}"{{#error}} aria-describedby="error"{{/error}} autofocus></div>
</div>
<button class="button">{{button}}</button>
</form>
${other}`;

// The hidden `username` field tells a password manager which account the new password belongs to. Without JavaScript there is no
// toggle to show the password, so it is typed twice.
const newPassword = `<form method="post" action="{{action}}" novalidate>
<p class="who"><span>{{usernameLabel}}</span> <bdi>{{username}}</bdi></p>
<input class="away" name="username" value="{{username}}" type="text" autocomplete="username" readonly tabindex="-1" aria-hidden="true">
<div class="block{{#error}} bad{{/error}}">
<label for="newPassword">{{label}}</label>
<p class="hint" id="rule">{{rule}}</p>
{{#error}}
<p class="error" id="error">{{error}}</p>
{{/error}}
<div class="field"><input id="newPassword" name="newPassword" type="password" dir="ltr" autocomplete="new-password" passwordrules="minlength: {{minLength}}; maxlength: {{maxLength}}; allowed: unicode;" autocapitalize="none" spellcheck="false" required aria-describedby="rule{{#error}} error{{/error}}" aria-invalid="{{invalid}}" autofocus></div>
<div class="tools" id="tools" hidden>
<span id="hint" aria-hidden="true" data-min="{{minLength}}" data-enough="{{longEnough}}"{{#missing}} data-{{form}}="{{sentence}}"{{/missing}}></span>
<button id="toggle" type="button" aria-controls="newPassword" aria-label="{{showLabel}}" data-show="{{show}}" data-show-label="{{showLabel}}" data-hide="{{hide}}" data-hide-label="{{hideLabel}}">{{show}}</button>
</div>
<p class="away" id="spoken" role="status"></p>
</div>
<noscript>
<div class="block">
<label for="again">{{labelAgain}}</label>
<div class="field"><input id="again" name="newPasswordAgain" type="password" dir="ltr" autocomplete="new-password" required></div>
</div>
</noscript>
<button class="button">{{button}}</button>
</form>`;

const deadLink = `<p>{{text}}</p>
<p>{{offer}}</p>
<form method="post" action="{{action}}">
<button class="button" name="action" value="resend">{{button}}</button>
</form>
${other}`;

/** Some paragraphs, then where to go from here. */
const notice = `{{#lead}}
<p>{{before}}<bdi class="typed">{{user}}<wbr>{{host}}</bdi>{{after}}</p>
{{/lead}}
{{#paragraphs}}
<p>{{.}}</p>
{{/paragraphs}}
{{#asides}}
<p class="soft">{{.}}</p>
{{/asides}}
{{#next}}
<a class="button" href="{{url}}">{{label}}</a>
{{/next}}
${other}`;

export const contents = { forgotPassword, newPassword, deadLink, notice } as const;
