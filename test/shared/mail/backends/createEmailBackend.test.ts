// Settings to backend: names, order, laziness.
import { parseBackendNames } from '../../../../shared/settings/emailSettings';
import { createEmailBackend } from '../../../../shared/mail/backends/createEmailBackend';
import { startScriptedSendGrid } from '../../../fakes/scriptedSendGrid';
import { startScriptedSmtp } from '../../../fakes/scriptedSmtp';
import { sampleMail } from '../sampleMail';

describe('EMAIL_BACKEND', () => {
  it.each([
    ['sendgrid', ['sendgrid']],
    ['sendgrid,smtp', ['sendgrid', 'smtp']],
    [' smtp , sendgrid ', ['smtp', 'sendgrid']],
    ['sendgrid_backend.SendgridBackend', ['sendgrid']],
    ['django.core.mail.backends.smtp.EmailBackend', ['smtp']],
    ['django.core.mail.backends.console.EmailBackend', ['console']],
    ['django.core.mail.backends.filebased.EmailBackend', ['file']],
  ])('%j is understood', (text, names) => {
    expect(parseBackendNames(text)).toEqual({ names });
  });

  it.each(['', ',', 'sendgrid,', 'SMTP2', 'django.core.mail.backends.locmem.EmailBackend', 'smtp,smtp', '__proto__'])(
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

  it('goes from SendGrid to SMTP while SendGrid answers 503, and back', async () => {
    const [api, smtp] = [await startScriptedSendGrid(), await startScriptedSmtp()];
    const backend = createEmailBackend(
      {
        backends: ['sendgrid', 'smtp'],
        sendgrid: { apiKey: 'SG.test', apiUrl: api.url, timeoutMs: 5_000 },
        smtp: { host: '127.0.0.1', port: smtp.port, security: 'none', timeoutMs: 5_000 },
      },
      { write },
    );
    api.script({ status: 503 });
    expect(await backend.send(sampleMail())).toEqual({ outcome: 'accepted', backend: 'smtp' });
    expect(await backend.send(sampleMail())).toEqual({ outcome: 'accepted', backend: 'sendgrid' });
    expect(smtp.messages).toHaveLength(1);
    await backend.close();
    await Promise.all([api.close(), smtp.close()]);
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
