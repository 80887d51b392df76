// Several backends in order: the next one is asked only when the one before surely has not the mail.
import type { SendResult } from '../../../../shared/mail/emailBackend';
import { createFallbackBackend, type FallbackEvent } from '../../../../shared/mail/backends/createEmailBackend';
import { createScriptedEmail, type ScriptedEmail } from '../../../fakes/scriptedEmail';
import { sampleMail } from '../sampleMail';

const accepted = (backend: string): SendResult => ({ outcome: 'accepted', backend });
const refused: SendResult = { outcome: 'transient', reason: 'connection_refused', surelyNotAccepted: true };
const unsure: SendResult = { outcome: 'transient', reason: 'timeout', surelyNotAccepted: false };
const permanent: SendResult = { outcome: 'permanent', reason: 'sendgrid_400' };

/** A backend that answers what it is told, in order, and then accepts. */
function scripted(name: string, ...results: SendResult[]): ScriptedEmail {
  const backend = createScriptedEmail(name);
  backend.script(...results);
  return backend;
}

it('asks the second when the first surely has not the mail, and says so in one event', async () => {
  const [first, second] = [scripted('sendgrid', { ...refused, misconfigured: true }), scripted('smtp')];
  const events: FallbackEvent[] = [];
  const backend = createFallbackBackend([first, second], (event) => events.push(event));
  expect(await backend.send(sampleMail())).toEqual(accepted('smtp'));
  expect(second.tried).toEqual(first.tried);
  expect(events).toEqual([
    {
      event: 'emailBackendFallback',
      mailId: sampleMail().id,
      from: 'sendgrid',
      to: 'smtp',
      reason: 'connection_refused',
      misconfigured: true,
    },
  ]);
});

it.each([
  ['accepted', accepted('sendgrid')],
  ['permanent', permanent],
  ['perhaps accepted', unsure],
])('asks nobody else after %s', async (_what, result) => {
  const [first, second] = [scripted('sendgrid', result), scripted('smtp')];
  expect(await createFallbackBackend([first, second]).send(sampleMail())).toEqual(result);
  expect(second.tried).toEqual([]);
});

it('stays with a backend that perhaps has the mail, until it knows', async () => {
  const [first, second] = [scripted('sendgrid', unsure, refused), scripted('smtp')];
  const backend = createFallbackBackend([first, second]);
  expect(await backend.send(sampleMail())).toEqual(unsure);
  expect(await backend.send(sampleMail())).toEqual(refused);
  expect(await backend.send(sampleMail())).toEqual(accepted('sendgrid'));
  expect(second.tried).toEqual([]);
});

it('stays with the second one too, while other mails go their usual way', async () => {
  const [first, second] = [scripted('sendgrid', refused), scripted('smtp', unsure)];
  const backend = createFallbackBackend([first, second]);
  expect(await backend.send(sampleMail({ id: 'a' }))).toEqual(unsure);
  expect(await backend.send(sampleMail({ id: 'b' }))).toEqual(accepted('sendgrid'));
  expect(await backend.send(sampleMail({ id: 'a' }))).toEqual(accepted('smtp'));
  expect(first.tried.map(({ id }) => id)).toEqual(['a', 'b']);
});

it('if all surely failed: the last reason, the shortest wait, misconfigured if any was', async () => {
  const limited: SendResult = {
    outcome: 'transient',
    reason: 'sendgrid_429',
    surelyNotAccepted: true,
    retryAfterSeconds: 5,
  };
  const mistaken: SendResult = {
    outcome: 'transient',
    reason: 'smtp_535',
    surelyNotAccepted: true,
    misconfigured: true,
  };
  const backend = createFallbackBackend([scripted('sendgrid', limited), scripted('smtp', mistaken)]);
  expect(await backend.send(sampleMail())).toEqual({
    outcome: 'transient',
    reason: 'smtp_535',
    surelyNotAccepted: true,
    misconfigured: true,
    retryAfterSeconds: 5,
  });
});

it('asks the next for an address that the first cannot take, and gives up if none can', async () => {
  const cannot: SendResult = { outcome: 'permanent', reason: 'non_ascii_local_part' };
  const [first, second] = [scripted('sendgrid', cannot, cannot), scripted('smtp', accepted('smtp'), cannot)];
  const backend = createFallbackBackend([first, second]);
  expect(await backend.send(sampleMail())).toEqual(accepted('smtp'));
  expect(await backend.send(sampleMail())).toEqual(cannot);
});
