// axe-core on every page in every state and on the mails, light and dark; and the layout at every width and in every language.
import { readFileSync } from 'node:fs';
import type axe from 'axe-core';
import type { Page } from 'playwright-core';
import { builtInLanguages } from '../../shared/locales';
import { describeInBrowser } from '../support/browser';
import { renderPasswordChanged, renderPasswordReset, type MailSite } from '../../shared/mail/renderMail';
import { codalab, longLink as link } from '../shared/mail/sampleMail';
import { longNames, pageStates, render, sampleLogo } from '../support/pageStates';

const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const origin = 'http://pages.example';
const urlOf = (state: string, locale: string): string =>
  `${origin}/accounts/password/reset/key/sample/?${new URLSearchParams({ state, locale }).toString()}`;

/** Serves the states without a network, with their own headers, so that the policy counts. */
async function serveStates(page: Page): Promise<void> {
  await page.route(`${origin}/**`, (route) => {
    const query = new URL(route.request().url()).searchParams;
    const state = pageStates[query.get('state') ?? ''];
    if (state === undefined) return route.fulfill({ status: 404 });
    const { status, headers, body = '' } = render(state, query.get('locale') ?? 'en');
    const inDirection = query.has('rtl') ? body.replace('dir="ltr"', 'dir="rtl"') : body;
    return route.fulfill({ status, headers: { ...headers }, body: inDirection });
  });
}

/** What axe finds in light and in dark. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const results = await page.evaluate<axe.AxeResults>(`axe.run({ resultTypes: ['violations'] })`);
    for (const { id, nodes } of results.violations) {
      found.push(...nodes.map(({ target }) => `${colorScheme}: ${id}: ${target.join(' ')}`));
    }
  }
  return found;
}

describeInBrowser('every page in every state', (browser) => {
  it('has nothing that axe objects to, light and dark', async () => {
    // Without motion: axe would see the colours of a transition.
    const page = await browser().newPage({ viewport: { width: 320, height: 640 }, reducedMotion: 'reduce' });
    const refused: string[] = [];
    page.on('console', (message) => {
      if (/Content Security Policy/.test(message.text())) refused.push(message.text());
    });
    await serveStates(page);
    const found: string[] = [];
    for (const state of Object.keys(pageStates)) {
      await page.goto(urlOf(state, 'en'));
      found.push(...(await violations(page)).map((violation) => `${state}: ${violation}`));
    }
    await page.goto(urlOf('new password', 'en'));
    await page.locator('#newPassword').fill('correct horse');
    await page.locator('#toggle').click();
    found.push(...(await violations(page)));
    expect(found).toEqual([]);
    expect(refused).toEqual([]);
    await page.close();
  }, 180_000);

  it.each([320, 1280])('fits into %i px in every language, with larger text and from right to left', async (width) => {
    const page = await browser().newPage({ viewport: { width, height: 700 } });
    await serveStates(page);
    const states = [
      'forgot password, malformed',
      'check inbox, long address',
      'new password, about_you',
      'new password, long names',
    ];
    const tooWide: string[] = [];
    for (const locale of builtInLanguages.keys()) {
      for (const state of [...states, 'expired link', 'cross-site']) {
        await page.goto(urlOf(state, locale) + (locale === 'en' ? '&rtl' : ''));
        // Whatever reaches beyond the window, and buttons whose text does not fit (WCAG 1.4.10, 1.4.4).
        const wide = await page.evaluate<boolean>(`(() => {
          document.documentElement.style.fontSize = innerWidth > 700 ? '200%' : '100%';
          const cut = [...document.querySelectorAll('.button, h1, p, label')].some((e) => e.scrollWidth > e.clientWidth + 1 && !e.classList.contains('away'));
          return cut || document.documentElement.scrollWidth > innerWidth;
        })()`);
        if (wide) tooWide.push(`${state} (${locale})`);
      }
    }
    expect(tooWide).toEqual([]);
    await page.close();
  });

  it('does not move when the script runs or somebody types', async () => {
    const page = await browser().newPage({ viewport: { width: 320, height: 640 } });
    await serveStates(page);
    for (const locale of builtInLanguages.keys()) {
      await page.goto(urlOf('new password', locale));
      const bottom = () => page.evaluate<number>(`document.querySelector('.button').getBoundingClientRect().bottom`);
      const before = await bottom();
      await page.locator('#newPassword').fill('a');
      await page.locator('#toggle').click();
      expect([locale, await bottom()]).toEqual([locale, before]);
    }
    await page.close();
  });
});

const site: MailSite = { ...codalab, name: longNames.name, contactEmail: 'help@codalab.org' };
const branded: MailSite = { ...codalab, brandColor: '#1a7f37', logo: sampleLogo, logoInMail: true };
const accounts = [longNames.username, 'b'].map((username) => ({ username, link }));

describeInBrowser('the HTML part of a mail', (browser) => {
  it.each(
    Object.entries({
      'for several accounts': renderPasswordReset({ site, accounts }),
      'with a look': renderPasswordReset({ site: branded, accounts: accounts.slice(1), expiresAt: new Date() }),
      'in Japanese': renderPasswordChanged({ site: { ...site, locale: 'ja' }, username: 'someuser' }),
    }),
  )('%s has nothing that axe objects to, fits into 320 px, and loads nothing', async (_name, { html }) => {
    const page = await browser().newPage({ viewport: { width: 320, height: 640 } });
    const requested: string[] = [];
    page.on('request', (request) => requested.push(request.url()));
    await page.setContent(html);
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
    expect(requested.filter((url) => url !== 'cid:logo')).toEqual([]);
    await page.close();
  });
});
