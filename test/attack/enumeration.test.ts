// Cases E: nobody learns from an answer who has an account. (E2, the measured times, is in bench/timing.ts; E3, that
// nothing is waited for, in faults.test.ts, by the calls that a request makes. E8 is in test/shared/resetFlow.redeem.test.ts.)
import { issueResetKey } from '../../shared/resetKey';
import { addressHashOf } from '../../shared/address';
import { exampleConfig, paths } from '../support/pages';
import { goodPassword, startTarget, type Target } from '../support/attack';
import { expectSameAnswer, rowsOf } from '../support/invariants';

describe('an answer tells nothing about an account', () => {
  let target: Target;
  beforeAll(async () => {
    target = await startTarget();
  });
  afterAll(() => target.checkAndStop());

  it('[E1] to a request for a live, a disabled, a password-less and an unknown address: same bytes, and only the live one gets a mail', async () => {
    const live = await target.victim();
    const others = [
      await target.victim({ isActive: false }),
      await target.victim({ password: '!' }),
      'nobody@somewhere.com',
    ];
    target.secrets.push('nobody@somewhere.com');
    const first = await target.request(live);
    const rest = await Promise.all(others.map((email) => target.request(email)));
    expect(first).toMatchObject({ status: 202, text: '{"status":"accepted"}' });
    for (const answer of rest) expectSameAnswer(first, answer);
    await target.mailsTo(live, 1);
    await target.settled(4);
    expect(target.mails().filter(({ to }) => others.includes(to))).toEqual([]);
    const subs = (await rowsOf(target.app.storage, 'Deliveries')).map(({ partitionKey }) => partitionKey);
    expect(subs).toEqual([addressHashOf(live)]);
  });

  it('[E7] to a redemption with a key that is forged, of another site or account: one status, one body', async () => {
    const live = await target.victim();
    const gone = await target.victim();
    const goneKey = await target.keyFor(gone);
    const row = await target.row(gone);
    await target.app.storage.table('Accounts').remove(addressHashOf(gone), '1', row?.etag ?? '');
    const { key: unbound } = issueResetKey(exampleConfig, addressHashOf(live), new Date());
    const { key: otherSite } = issueResetKey({ ...exampleConfig, siteId: '2' }, addressHashOf(live), new Date());
    const { key: unknown } = issueResetKey(exampleConfig, addressHashOf('nobody@somewhere.com'), new Date());
    const forged = `${unbound.slice(0, -4)}AAAA`;
    const answers = [];
    for (const key of [forged, otherSite, unknown, goneKey, unbound])
      answers.push(await target.redeem(key), await target.check(key));
    const [first, ...rest] = answers;
    if (first === undefined) throw new Error('no answer');
    expect(first).toMatchObject({ status: 400, json: { code: 'invalid_key' } });
    for (const answer of rest) expectSameAnswer(first, answer);

    const past = issueResetKey(exampleConfig, addressHashOf(live), new Date(Date.now() - 3_700_000)).key;
    for (const answer of [await target.check(past), await target.redeem(past)])
      expect(answer).toMatchObject({ status: 410, json: { code: 'expired_key' } });
  });

  it('[E9] and never holds a key, an id, an address or a hash', async () => {
    const live = await target.victim({ username: 'the-username' });
    const accepted = await target.request(live);
    const [mail] = await target.mailsTo(live, 1);
    const key = mail?.key ?? '';
    const answers = [
      accepted,
      await target.check(key),
      await target.redeem(key, 'short'),
      await target.redeem(key, `${goodPassword} e9`),
      await target.redeem(key),
    ];
    expect(answers.map(({ status }) => status)).toEqual([202, 200, 422, 200, 410]);
    const hash = String((await target.row(live))?.['password']);
    for (const { text, headers } of answers) {
      const everything = `${text}\n${JSON.stringify([...headers])}`;
      for (const secret of [key, addressHashOf(live), live, hash, goodPassword, mail?.id ?? ''])
        expect(everything).not.toContain(secret);
    }
  });

  it('[E1] on the page: same bytes for the same typed address before and after it has an account', async () => {
    const email = 'later@somewhere.com';
    const ask = async () => {
      const body = new URLSearchParams({ email });
      const answer = await fetch(`${target.app.host.url}${paths.forgotPassword}`, { method: 'POST', body });
      const headers = [...answer.headers].filter(([name]) => name !== 'date').sort();
      return { status: answer.status, headers, text: await answer.text() };
    };
    const unknown = await ask();
    expect(unknown.text).toContain('<bdi class="typed">later<wbr>@somewhere.com</bdi>');
    await target.victim({ email, locale: 'fr' });
    expect(await ask()).toEqual(unknown);
    await target.mailsTo(email, 1);
  });
});
