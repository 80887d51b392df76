// The sendgrid backend against a scripted API on loopback: the contract, the payload (G1), and every way an API fails (G2 to G7).
import type { SendResult } from '../../../../shared/mail/emailBackend';
import { createSendgridBackend } from '../../../../shared/mail/backends/sendgridBackend';
import {
  type ScriptedSendGrid,
  type SendGridAnswer,
  type SendGridRequest,
  startScriptedSendGrid,
} from '../../../fakes/scriptedSendGrid';
import { describeEmailBackend, type ReceivedMail } from '../emailBackend.contract';
import { sampleLogo } from '../../../support/pageStates';
import { longLink, sampleMail } from '../sampleMail';

const apiKey = 'SG.test-key-that-must-not-leak';
const now = new Date('2026-01-02T03:04:05Z');

let api: ScriptedSendGrid;
beforeEach(async () => {
  api = await startScriptedSendGrid();
});
afterEach(async () => {
  await api.close();
});

const backend = (timeoutMs = 5_000, apiUrl = api.url) =>
  createSendgridBackend({ apiKey, apiUrl, timeoutMs }, () => now);

async function sendAnswered(answer: SendGridAnswer): Promise<SendResult> {
  api.script(answer);
  return backend().send(sampleMail());
}

interface Personalization {
  readonly to: readonly { readonly email: string }[];
  readonly cc?: readonly { readonly email: string }[];
  readonly bcc?: readonly { readonly email: string }[];
}

function readRequest({ body }: SendGridRequest): ReceivedMail {
  const personalizations: Personalization[] = body.personalizations;
  const everybody = personalizations.flatMap(({ to, cc = [], bcc = [] }) => [...to, ...cc, ...bcc]);
  const headers = Object.entries<string>(body.headers).map(([key, value]) => [key.toLowerCase(), value] as const);
  return {
    subject: body.subject,
    fromName: body.from.name ?? '',
    fromAddress: body.from.email,
    recipients: everybody.map(({ email }) => email),
    text: body.content[0].value,
    html: body.content[1].value,
    messageId: body.headers['Message-ID'],
    headers: new Map(headers),
  };
}

describeEmailBackend('sendgrid', () =>
  Promise.resolve({
    backend: backend(),
    received: () => Promise.resolve(api.requests.map(readRequest)),
    close: () => Promise.resolve(),
  }),
);

describe('[G1] the request', () => {
  it('carries the logo inline', async () => {
    const mail = sampleMail({ site: { logo: sampleLogo, logoInMail: true } });
    await backend().send(mail);
    expect(mail.html).toContain('src="cid:logo"');
    const [content, file] = [sampleLogo.split(',')[1], { filename: 'logo.png', type: 'image/png' }];
    const attachment = { content, ...file, disposition: 'inline', content_id: 'logo' };
    expect(api.requests[0]?.body.attachments).toEqual([attachment]);
  });

  it('carries international domains in punycode', async () => {
    await backend().send(sampleMail({ to: 'Joerg@bücher.example', site: { from: 'i@köln.example' } }));
    const { personalizations, from } = api.requests[0]?.body ?? {};
    expect(personalizations[0].to).toEqual([{ email: 'Joerg@xn--bcher-kva.example' }]);
    expect(from).toEqual({ email: 'i@xn--kln-sna.example', name: 'CodaLab' });
  });

  it('is not made for a local part SendGrid cannot take: a recipient for good, a sender until it is corrected', async () => {
    const reason = 'non_ascii_local_part';
    expect(await backend().send(sampleMail({ to: 'jörg@somewhere.com' }))).toEqual({ outcome: 'permanent', reason });
    const sender = await backend().send(sampleMail({ site: { from: 'jörg@codalab.org' } }));
    expect(sender).toEqual({ outcome: 'transient', reason, surelyNotAccepted: true, misconfigured: true });
    expect(api.requests).toEqual([]);
  });

  it('is one POST with one recipient, tracking off in all its forms, a category and the mail id, and nothing else', async () => {
    const mail = sampleMail({ site: { from: 'CodaLab <info@codalab.org>' } });
    await backend(5_000, api.url.replace(/\/$/, '')).send(mail);
    expect(api.requests).toHaveLength(1);
    const headers = expect.objectContaining({ authorization: `Bearer ${apiKey}` });
    expect(api.requests[0]).toMatchObject({ method: 'POST', path: '/v3/mail/send', headers });
    expect(api.requests[0]?.body).toEqual({
      personalizations: [{ to: [{ email: 'someuser@somewhere.com' }], custom_args: { mail_id: mail.id } }],
      from: { email: 'info@codalab.org', name: 'CodaLab' },
      subject: mail.subject,
      content: [
        { type: 'text/plain', value: mail.text },
        { type: 'text/html', value: mail.html },
      ],
      headers: { 'Message-ID': mail.messageId, 'Auto-Submitted': 'auto-generated', 'Content-Language': 'en' },
      categories: ['password-reset'],
      tracking_settings: {
        click_tracking: { enable: false, enable_text: false },
        open_tracking: { enable: false },
        subscription_tracking: { enable: false },
        ganalytics: { enable: false },
      },
      mail_settings: { bypass_unsubscribe_management: { enable: true }, footer: { enable: false } },
    });
  });
});

describe('an answer', () => {
  const misconfigured = { outcome: 'transient', surelyNotAccepted: true, misconfigured: true } as const;
  it.each([
    ...[400, 413, 406, 415, 422].map((status) => ['[G2]', status, { outcome: 'permanent' }] as const),
    ...[401, 403, 404, 405].map((status) => ['[G3]', status, misconfigured] as const),
    // No promise of delivery, and no redirect is followed.
    ...[200, 204, 302, 307].map((status) => ['[G3]', status, misconfigured] as const),
    ...[500, 502, 503].map((status) => ['[G5]', status, { outcome: 'transient', surelyNotAccepted: true }] as const),
    ['[G5]', 504, { outcome: 'transient', surelyNotAccepted: false }] as const,
  ])('%s %i after one call', async (_case, status, expected) => {
    const headers = { Location: `${api.url}elsewhere` };
    expect(await sendAnswered({ status, headers })).toEqual({ ...expected, reason: `sendgrid_${status}` });
    expect(api.requests).toHaveLength(1);
  });

  it.each([
    ['Retry-After: 5', { 'Retry-After': '5' }, 5],
    ['Retry-After: an HTTP date in 90 s', { 'Retry-After': 'Fri, 02 Jan 2026 03:05:35 GMT' }, 90],
    ['X-RateLimit-Reset: in 5 s', { 'X-RateLimit-Reset': String(now.getTime() / 1000 + 5) }, 5],
    ['Retry-After before X-RateLimit-Reset', { 'Retry-After': '7', 'X-RateLimit-Reset': '1' }, 7],
    ['X-RateLimit-Reset in the past', { 'X-RateLimit-Reset': '978307200' }, 1],
    ['Retry-After in the year 9999', { 'Retry-After': 'Fri, 31 Dec 9999 23:59:59 GMT' }, 300],
    [
      'garbage in one, sense in the other',
      { 'Retry-After': 'soon', 'X-RateLimit-Reset': String(now.getTime() / 1000 + 20) },
      20,
    ],
    ['no header', {}, undefined],
    ['text', { 'Retry-After': 'soon', 'X-RateLimit-Reset': 'tomorrow' }, undefined],
    ['a negative number', { 'Retry-After': '-5' }, undefined],
  ])('[G4] 429 with %s', async (_what, headers, retryAfterSeconds) => {
    const limited = { outcome: 'transient', reason: 'sendgrid_429', surelyNotAccepted: true };
    expect(await sendAnswered({ status: 429, headers })).toEqual({ ...limited, retryAfterSeconds });
  });

  it('202 whose body never ends is accepted at once', async () => {
    expect(await sendAnswered('trickleBody')).toEqual({ outcome: 'accepted', backend: 'sendgrid' });
  });
});

describe('no answer', () => {
  it.each(['hang', 'trickle'] as const)('[G6] %s ends at the deadline, perhaps accepted', async (how) => {
    api.script(how);
    const started = performance.now();
    const result = await backend(300).send(sampleMail());
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(result).toEqual({ outcome: 'transient', reason: 'timeout', surelyNotAccepted: false });
  });

  it('[G7] a reset after the body is out leaves it open whether the mail was accepted, and is not repeated', async () => {
    const unsure = { outcome: 'transient', reason: 'connection_lost', surelyNotAccepted: false };
    expect(await sendAnswered('reset')).toEqual(unsure);
    expect(api.requests).toHaveLength(1);
  });

  it('a refused connection means surely not accepted', async () => {
    for (const host of ['127.0.0.1', 'localhost']) {
      const result = await backend(5_000, `http://${host}:1/`).send(sampleMail());
      expect(result).toEqual({ outcome: 'transient', reason: 'connection_refused', surelyNotAccepted: true });
    }
  });

  it('an https URL that does not speak TLS is our own mistake', async () => {
    const result = await backend(5_000, api.url.replace('http:', 'https:')).send(sampleMail());
    expect(result).toEqual({ outcome: 'transient', reason: 'tls', surelyNotAccepted: true, misconfigured: true });
  });
});

it('no result and no console line ever holds the API key, the address or the link', async () => {
  const seen: unknown[] = [];
  const spies = (['log', 'warn', 'error'] as const).map((level) =>
    jest.spyOn(console, level).mockImplementation((...line: unknown[]) => seen.push(line)),
  );
  const body = JSON.stringify({ errors: [{ message: `someuser@somewhere.com ${apiKey} ${longLink}` }] });
  const answers: SendGridAnswer[] = [400, 401, 403, 413, 429, 500, 302].map((status) => ({ status, body }));
  for (const answer of [...answers, 'reset' as const]) seen.push(await sendAnswered(answer));
  spies.forEach((spy) => {
    spy.mockRestore();
  });
  expect(seen).toHaveLength(8);
  expect(JSON.stringify(seen)).not.toMatch(/SG\.|somewhere|http:/);
});

it('reuses its connections for one mail after another', async () => {
  const one = backend();
  for (let count = 0; count < 10; count += 1) await one.send(sampleMail());
  expect(api.requests).toHaveLength(10);
  expect(api.connections()).toBeLessThanOrEqual(2);
});
