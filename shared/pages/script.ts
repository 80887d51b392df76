// The one script of all pages, inline and the same everywhere, so that the policy can name its hash. Every page works without it.
// It sends nothing by itself, so a link scanner that runs scripts changes nothing (attack case S2).

/**
 * What it does, where the page has the elements for it:
 * - takes the reset key out of the address bar and keeps the path in this entry of the tab's history, so that reload and
 *   back still work (the server's logs and the next site never see it: `Referrer-Policy: no-referrer`);
 * - show-password toggle; the field is a password field again when it is sent, so that nothing remembers its text;
 * - says how many characters are missing, at once to the eye, after a pause to a screen reader;
 * - ignores a second press of the button while the first is on its way.
 */
export const script = `(() => {
const d = document, b = d.body.dataset;
if (b.keyless) {
  const kept = history.state && history.state.path;
  if (location.pathname !== b.keyless) history.replaceState({ path: location.pathname }, '', b.keyless);
  else if (typeof kept === 'string' && kept.startsWith(b.keyless)) location.replace(kept);
}
const form = d.querySelector('form');
if (!form) return;
let sent = false;
const field = d.getElementById('newPassword'), toggle = d.getElementById('toggle'), hint = d.getElementById('hint');
const show = (on) => {
  field.type = on ? 'text' : 'password';
  toggle.textContent = on ? toggle.dataset.hide : toggle.dataset.show;
  toggle.setAttribute('aria-label', on ? toggle.dataset.hideLabel : toggle.dataset.showLabel);
};
form.addEventListener('submit', (event) => {
  if (sent) return event.preventDefault();
  sent = true;
  if (field) show(false);
});
addEventListener('pageshow', () => { sent = false; });
if (!field) return;
d.getElementById('tools').hidden = false;
toggle.addEventListener('click', () => { show(field.type === 'password'); field.focus(); });
const lang = d.documentElement.lang, plural = new Intl.PluralRules(lang), number = new Intl.NumberFormat(lang);
const spoken = d.getElementById('spoken');
let pause;
const count = () => {
  const length = [...field.value].length, missing = hint.dataset.min - length;
  const text = missing > 0 ? hint.dataset[plural.select(missing)] || hint.dataset.other : hint.dataset.enough;
  hint.textContent = length ? text.replace(/\\{+count}+/, number.format(missing)) : '';
  hint.className = missing > 0 ? '' : 'ok';
  clearTimeout(pause);
  pause = setTimeout(() => { spoken.textContent = hint.textContent; }, 1000);
};
field.addEventListener('input', count);
})();`;
