// The one HTML frame of every mail. No remote content; readable with styles stripped, in dark mode, and at 320 px.
// Values arrive escaped: `{{{…}}}` is HTML that renderBlocks made, `{{…}}` is escaped on the way.

/** Mustache template; `blocks` holds `paragraph` (HTML) or `link` (`url`, `label` HTML) each. Inline styles first: some clients drop the head. */
export const mailLayout = `<!DOCTYPE html>
<html lang="{{locale}}" dir="{{dir}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>{{subject}}</title>
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background: #16181c !important; }
  .card { background: #22252b !important; border-color: #3a3f47 !important; }
  .words { color: #e8eaed !important; }
  .url { color: #9ec3ff !important; }
  .button { background: #8ab4f8 !important; }
  .button a { color: #10223d !important; }
}
@media (max-width: 480px) {
  .outer { padding: 12px !important; }
  .card { padding: 20px 20px 4px !important; }
}
</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f2f4f7;">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#f2f4f7;">
<tr><td class="outer" align="center" style="padding:32px 16px;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:560px;table-layout:fixed;">
<tr><td class="card" style="padding:32px 32px 16px;background:#ffffff;border:1px solid #dfe3e8;border-radius:8px;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5;text-align:start;overflow-wrap:anywhere;word-break:break-word;">
{{#blocks}}
{{#paragraph}}
<p class="words" style="margin:0 0 16px;color:#1f2328;">{{{.}}}</p>
{{/paragraph}}
{{#link}}
<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:8px 0 16px;">
<tr><td class="button" style="border-radius:6px;background:#0b57d0;"><a href="{{url}}" style="display:inline-block;padding:12px 24px;font-weight:600;color:#ffffff;text-decoration:none;">{{{label}}}</a></td></tr>
</table>
<p style="margin:0 0 16px;font-size:14px;word-break:break-all;"><a class="url" href="{{url}}" style="color:#0b57d0;">{{url}}</a></p>
{{/link}}
{{/blocks}}
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;
