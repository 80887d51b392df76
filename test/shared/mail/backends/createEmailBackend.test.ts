// Settings to backend: names, order, laziness; the next backend is asked only if the one before definitely did not accept the mail.
import type { AppEvent } from '../../../../shared/events';
import { parseBackendNames } from '../../../../shared/settings/emailSettings';
import { createEmailBackend, createFallbackBackend } from '../../../../shared/mail/backends/createEmailBackend';
import type { SendResult } from '../../../../shared/mail/emailBackend';
import { createScriptedEmail, type ScriptedEmail } from '../../../fakes/scriptedEmail';
import { sampleMail } from '../sampleMail';

describe('EMAIL_BACKEND', () => {
  it.each([
    ['sendgrid', ['sendgrid']],
    [' sendgrid , smtp', ['sendgrid', 'smtp']],
    ['sendgrid_backend.SendgridBackend', ['sendgrid']],
    ['django.core.mail.backends.smtp.EmailBackend', ['smtp']],
    ['django.core.mail.backends.console.EmailBackend', ['console']],
    ['django.core.mail.backends.filebased.EmailBackend', ['file']],
  ])('%j is understood', (text, names) => {
    expect(parseBackendNames(text)).toEqual({ names });
  });

  it.each(['', 'sendgrid,', 'SMTP2', 'django.core.mail.backends.locmem.EmailBackend', 'smtp,smtp', '__proto__'])(
    '%j is an error that does not repeat the value',
    (text) => {
      const parsed = parseBackendNames(text);
      if (!('error' in parsed)) throw new Error('was understood');
      if (text.length > 1 && !/^(sendgrid,|smtp,smtp)$/.test(text)) expect(parsed.error).not.toContain(text);
    },
  );
});

describe('createEmailBackend', () => {
  const write = () => {};

  it('asks its backends in order, with their settings', async () => {
    const events: AppEvent[] = [];
    const backend = createEmailBackend(
      {
        backends: ['sendgrid', 'smtp', 'console'],
        sendgrid: { apiKey: 'SG.test', apiUrl: 'http://127.0.0.1:9/', timeoutMs: 5_000 },
        smtp: { host: '127.0.0.1', port: 9, security: 'none', timeoutMs: 5_000 },
      },
      { write, emit: (event) => events.push(event) },
    );
    expect(await backend.send(sampleMail())).toEqual({ outcome: 'accepted', backend: 'console' });
    const reason = 'connection_refused';
    expect(events).toMatchObject([
      { from: 'sendgrid', to: 'smtp', reason },
      { from: 'smtp', to: 'console', reason },
    ]);
    await backend.close();
  });

  it.each([
    ['no backend', { backends: [] }],
    ['sendgrid without settings', { backends: ['sendgrid'] }],
    ['smtp without settings', { backends: ['console', 'smtp'] }],
    ['file without a path', { backends: ['file'] }],
  ] as const)('throws at once for %s', (_what, settings) => {
    expect(() => createEmailBackend(settings, { write })).toThrow();
  });

  it('loads no client library before the first mail, and only the one it needs', async () => {
    const loaded: string[] = [];
    jest.resetModules();
    for (const library of ['nodemailer', '@sendgrid/mail']) {
      jest.doMock(library, () => {
        loaded.push(library);
        return jest.requireActual<object>(library);
      });
    }
    const fresh = await import('../../../../shared/mail/backends/createEmailBackend');
    const settings = {
      backends: ['console'],
      sendgrid: { apiKey: 'SG.test', apiUrl: 'http://127.0.0.1:9/', timeoutMs: 1_000 },
    } as const;
    const backend = fresh.createEmailBackend(settings, { write });
    expect((await backend.send(sampleMail())).outcome).toBe('accepted');
    expect(loaded).toEqual([]);
    await fresh.createEmailBackend({ ...settings, backends: ['sendgrid'] }, { write }).send(sampleMail());
    expect(loaded).toEqual(['@sendgrid/mail']);
    jest.dontMock('nodemailer').dontMock('@sendgrid/mail').resetModules();
  });
});

describe('several backends in order', () => {
  const accepted = (backend: string): SendResult => ({ outcome: 'accepted', backend });
  const refused: SendResult = { outcome: 'transient', reason: 'connection_refused', surelyNotAccepted: true };
  const unsure: SendResult = { outcome: 'transient', reason: 'timeout', surelyNotAccepted: false };
  const permanent: SendResult = { outcome: 'permanent', reason: 'sendgrid_400' };

  function scripted(name: string, ...results: SendResult[]): ScriptedEmail {
    const backend = createScriptedEmail(name);
    backend.script(...results);
    return backend;
  }

  it('asks the second when the first surely has not the mail, and says so in one event', async () => {
    const [first, second] = [scripted('sendgrid', { ...refused, misconfigured: true }), scripted('smtp')];
    const events: AppEvent[] = [];
    const backend = createFallbackBackend([first, second], (event) => events.push(event));
    expect(await backend.send(sampleMail())).toEqual(accepted('smtp'));
    expect(second.tried).toEqual(first.tried);
    const [{ id: mailId }, reason] = [sampleMail(), 'connection_refused'];
    const change = { from: 'sendgrid', to: 'smtp', reason, misconfigured: true };
    expect(events).toEqual([{ event: 'emailBackendFallback', level: 'warn', mailId, ...change }]);
  });

  it('stays with the second one too, while other mails go their usual way', async () => {
    const [first, second] = [scripted('sendgrid', refused), scripted('smtp', unsure)];
    const backend = createFallbackBackend([first, second]);
    expect(await backend.send(sampleMail({ id: 'a' }))).toEqual(unsure);
    expect(await backend.send(sampleMail({ id: 'b' }))).toEqual(accepted('sendgrid'));
    expect(await backend.send(sampleMail({ id: 'a' }))).toEqual(accepted('smtp'));
    expect(first.tried.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  const limited: SendResult = { ...refused, reason: 'sendgrid_429', retryAfterSeconds: 5 };
  const mistaken: SendResult = { ...refused, reason: 'smtp_535', misconfigured: true };
  const cannot: SendResult = { outcome: 'permanent', reason: 'non_ascii_local_part' };
  it.each<[string, SendResult[], SendResult[], SendResult[], number]>([
    ['ask nobody else once it is accepted', [], [], [accepted('sendgrid')], 0],
    ['ask nobody else once it is refused for good', [permanent], [], [permanent], 0],
    [
      'stay with one that perhaps has the mail, until it knows',
      [unsure, refused],
      [],
      [unsure, refused, accepted('sendgrid')],
      0,
    ],
    [
      'if all fail, give the last reason, the shortest wait, and misconfigured if any was',
      [limited],
      [mistaken],
      [{ ...mistaken, retryAfterSeconds: 5 }],
      1,
    ],
    [
      'ask the next for an address that the first cannot take, and give up if none can',
      [cannot, cannot],
      [accepted('smtp'), cannot],
      [accepted('smtp'), cannot],
      2,
    ],
  ])('%s', async (_what, ofFirst, ofSecond, results, askedSecond) => {
    const [first, second] = [scripted('sendgrid', ...ofFirst), scripted('smtp', ...ofSecond)];
    const backend = createFallbackBackend([first, second]);
    for (const result of results) expect(await backend.send(sampleMail())).toEqual(result);
    expect(second.tried).toHaveLength(askedSecond);
  });
});
