// The site's own sentences as the app reads them: from the table, again and again, whatever is in it.
import type { AppEvent } from '../../shared/events';
import { StorageUnavailable } from '../../shared/errors';
import { builtInLanguages, messagesFor } from '../../shared/locales';
import { applyTexts, maxTexts } from '../../shared/locales/overrides';
import { createSiteSource } from '../../shared/site';
import { createSiteTable } from '../../shared/storage/siteTable';
import { createMemoryTableStore } from '../fakes/memoryTableStore';
import { codalab, createTestClock } from '../support/flow';

function setUp() {
  const clock = createTestClock();
  const [table, texts] = [createMemoryTableStore(), createMemoryTableStore()];
  const events: AppEvent[] = [];
  const rows = createSiteTable(table, texts, '1');
  const source = createSiteSource(rows, codalab, false, clock.now, (event) => events.push(event));
  const thanks = async () => messagesFor('en', (await source.current()).catalog).passwordReset.thanks;
  const refusals = () => events.filter(({ event }) => event === 'siteTextsRefused');
  return { clock, table, texts, source, thanks, refusals };
}
const builtIn = 'Thanks for using our site!';

it('are used within a minute, and gone within a minute', async () => {
  const { clock, source, texts, thanks } = setUp();
  expect(await thanks()).toBe(builtIn);
  texts.edit('en', 'passwordReset.thanks', { text: 'See you soon!' });
  clock.advance(61);
  expect(await thanks()).toBe('See you soon!');
  expect(messagesFor('en', source.catalog()).passwordReset.thanks).toBe('See you soon!');
  texts.drop('en', 'passwordReset.thanks');
  clock.advance(61);
  expect(await thanks()).toBe(builtIn);
});

it('are refused one by one, with one event for as long as nothing changes', async () => {
  const { clock, texts, thanks, refusals } = setUp();
  texts.edit('en', 'passwordReset.thanks', { text: 'See you soon!' });
  texts.edit('en', 'page.help', { text: `https://evil.example/ ${'x'.repeat(1_000_000)}` });
  texts.edit('en', 'page.logIn', { text: 7 });
  for (let time = 0; time < 3; time++) {
    expect(await thanks()).toBe('See you soon!');
    clock.advance(61);
  }
  expect(refusals()).toEqual([
    expect.objectContaining({
      problems: ['en page.help has more than 2000 characters', 'en page.logIn is empty'],
    }),
  ]);
  texts.edit('en', 'page.help', { text: '<b>Help' });
  await thanks();
  expect(refusals()).toHaveLength(2);
});

it('stay in use while their table does not answer, and the site row is read', async () => {
  const { clock, table, texts, source, thanks, refusals } = setUp();
  texts.edit('en', 'passwordReset.thanks', { text: 'See you soon!' });
  await thanks();
  table.edit('site', '1', { name: 'Renamed' });
  clock.advance(61);
  texts.intercept('list', () => {
    throw new StorageUnavailable('tables', 'TableNotFound');
  });
  expect(await thanks()).toBe('See you soon!');
  await expect(source.current()).resolves.toMatchObject({ name: 'Renamed' });
  expect(refusals()).toEqual([expect.objectContaining({ problems: ['the table cannot be read: TableNotFound'] })]);
});

it('of a regional variant are laid over its language', () => {
  const { catalog, missing } = applyTexts(builtInLanguages, [
    { locale: 'pt-BR', name: 'page.help', text: 'Precisa de ajuda?' },
    { locale: 'de-CH', name: 'newPassword.show', text: 'Zeigen' },
    { locale: 'pt', name: 'page.logIn', text: 'Entrar' },
  ]);
  expect([...missing.keys()]).toEqual(['pt']);
  expect(messagesFor('de-CH', catalog)).toMatchObject({ locale: 'de-CH', page: messagesFor('de').page });
  expect(messagesFor('de-AT', catalog)).toBe(messagesFor('de'));
  expect(messagesFor('pt-BR', catalog).page).toMatchObject({ help: 'Precisa de ajuda?', logIn: 'Entrar' });
});

it('beyond a number are ignored, which is said', () => {
  const text = { locale: 'en', name: 'page.help', text: 'Help?' };
  const { catalog, refused } = applyTexts(builtInLanguages, [
    ...Array.from({ length: maxTexts }, () => text),
    { ...text, text: 'Too late' },
  ]);
  expect(messagesFor('en', catalog).page.help).toBe('Help?');
  expect(refused).toEqual([expect.objectContaining({ problem: expect.stringContaining('more than 4000') as string })]);
});
