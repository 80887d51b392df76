// Two configurations on one storage, as while secrets are rotated (docs/operations.md): every mail is opened, every link works,
// whichever instance handles which step.
import { readConfig } from '../../shared/config';
import { checkKey, redeemKey, requestReset } from '../../shared/resetFlow';
import { exampleSettings } from '../support/app';
import { createTestFlow, createTestOutbox, goodPassword, keyIn } from '../support/flow';

const list = (...kids: string[]): string =>
  kids.map((kid) => `${kid}:${Buffer.alloc(32, `secret ${kid} `).toString('base64')}`).join(',');

const t = createTestFlow({ perIp: 'off' });
let serial = 0;

/** An instance with these secrets. */
function host({ sign = list('a'), seal }: { readonly sign?: string; readonly seal?: string }) {
  const read = readConfig({ ...exampleSettings, RESET_SIGNING_SECRETS: sign, MAIL_SEALING_SECRETS: seal });
  if (!read.ok) throw new Error(read.problems.join('\n'));
  const { signingSecrets, sealingSecrets } = read.config;
  const deps = { ...t.deps, settings: { ...t.deps.settings, signingSecrets, sealingSecrets } };
  return { ...deps, outbox: createTestOutbox(deps) };
}
type Host = ReturnType<typeof host>;

/** A request to this instance for an account of its own. @returns the message */
async function ask(issuer: Host): Promise<unknown> {
  const email = `person${++serial}@somewhere.com`;
  t.addAccount({ email });
  await requestReset(issuer, email, {});
  return t.queue.takeAll()[0]?.envelope;
}

async function expectLink(redeemer: Host, key: string): Promise<void> {
  await expect(checkKey(redeemer, key)).resolves.toMatchObject({ outcome: 'live' });
  await expect(redeemKey(redeemer, key, goodPassword)).resolves.toMatchObject({ outcome: 'changed' });
  t.queue.takeAll(); // the notice
}
const lastKey = (): string => keyIn(t.email.accepted.at(-1));

describe.each([
  ['a signing secret is added', { sign: list('a') }, { sign: list('a', 'b') }],
  ['the new signing secret signs', { sign: list('a', 'b') }, { sign: list('b', 'a') }],
  ['the old signing secret is dropped', { sign: list('b', 'a') }, { sign: list('b') }],
  ['a sealing secret is added', { seal: list('s') }, { seal: list('s', 't') }],
  ['the new sealing secret seals', { seal: list('s', 't') }, { seal: list('t', 's') }],
  ['the old sealing secret is dropped', { seal: list('t', 's') }, { seal: list('t') }],
])('while %s', (_step, before, after) => {
  it('loses no link and no mail, whichever instance handles which step', async () => {
    const hosts = [host(before), host(after)];
    for (const issuer of hosts)
      for (const worker of hosts)
        for (const redeemer of hosts) {
          await worker.outbox.handle(await ask(issuer));
          await expectLink(redeemer, lastKey());
        }
    expect(t.queue.poisoned).toEqual([]);
  });
});

it('a link and a waiting mail from before the rotation work until the old secret is dropped', async () => {
  const before = host({ sign: list('a'), seal: list('s') });
  const [mailed, waiting] = [await ask(before), await ask(before)];
  await before.outbox.handle(mailed);
  const old = lastKey();
  const after = host({ sign: list('b', 'a'), seal: list('t', 's') });
  await after.outbox.handle(waiting);
  await expectLink(after, lastKey());
  await expectLink(after, old);
});
