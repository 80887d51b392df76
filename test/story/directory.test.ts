// The story with accounts at the Node reference site, and what becomes of it while that site is at fault. Which answer to which call is a
// conflict, an outage or no account is tested in test/shared/directory; that a request asks the site nothing, in resetFlow.request.test.ts.
import { eventually } from '../support/app';
import { hang, reply, type DirectoryFront, type Fault } from '../support/directoryFront';
import { startDirectorySite } from '../support/directorySite';
import { addressOf, directoryStory, newPassword } from '../support/directoryStory';
import { expectSameAnswer } from '../support/invariants';

const json = { 'Content-Type': 'application/json' };
const megabyte = JSON.stringify({ accounts: [], account: null, padding: 'x'.repeat(1024 * 1024) });
const both =
  (fault: Fault) =>
  (front: DirectoryFront): void =>
    ['get', 'set-password'].forEach((call) => front.rule(call, fault));

directoryStory('the Node reference', startDirectorySite, (story) => {
  let live: string;
  let used: string;
  beforeAll(async () => {
    live = await story().keyFor('fay');
    used = await story().keyFor('dora');
    await story().redeem(used, newPassword);
  });
  afterEach(() => story().front.recover());

  it.each<readonly [string, (front: DirectoryFront) => void, string]>([
    ['does not listen', (front) => front.down(), 'connection_(?:refused|lost)'],
    ['hangs', both(hang), 'timeout'],
    ['refuses the signature', both(reply(401, '{"code":"bad_signature"}')), 'bad_signature'],
    ['fails', both(reply(500)), '500'],
    ['is not there', (front) => front.rule('get', reply(404)), '404'],
    ['answers a conflict to a read', (front) => front.rule('get', reply(409)), '409'],
    ['answers a page', both(reply(200, '<p>Welcome', { 'Content-Type': 'text/html' })), 'not_json'],
    ['answers half of its JSON', both(reply(200, '{"account":{"id"', json)), 'not_json'],
    ['answers a megabyte', both(reply(200, megabyte)), 'too_large'],
    ['redirects', both(reply(307, '', { Location: 'https://localhost:9/' })), '307'],
    ['has a certificate of nobody', (front) => front.untrusted(), 'tls'],
  ])('a site that %s is a 503 for everyone, and the key is good when that is over', async (_, makeFault, reason) => {
    const { app, front, check, redeem } = story();
    const logged = app.host.output().length;
    makeFault(front);
    const answers = await Promise.all([check(live), check(used), redeem(live, newPassword), redeem(used, newPassword)]);
    const health = await fetch(`${app.host.url}/api/health`);
    await front.recover();
    const [first] = answers;
    expect(first).toMatchObject({ status: 503, json: { code: 'unavailable' } });
    expect(Number(first.headers.get('retry-after'))).toBeGreaterThan(0);
    for (const answer of answers) expectSameAnswer(first, answer);
    const failed = new RegExp(`"event":"accountDirectoryFailed".*"call":"get","reason":"${reason}"`, 'g');
    // A notice of an earlier case may have met the fault, too.
    const lines = () => app.host.output().slice(logged).match(failed)?.length ?? 0;
    await eventually(() => (lines() >= answers.length ? true : undefined));
    expect(health.status).toBe(200); // requests are taken, and mails wait: no reason to restart the app
    expect(await check(live)).toMatchObject({ status: 200 });
  });

  it('mails and events wait while the site fails', async () => {
    const { app, front, redeem } = story();
    const logged = app.host.output().length;
    front.rule('find', reply(500), 1);
    front.rule('events', reply(500), 1);
    await app.post('password-reset/request', { email: addressOf('eve') });
    expect(await redeem(live, newPassword)).toMatchObject({ status: 200 });
    for (const waits of [/"kind":"passwordReset".*"reason":"storage_500"/, /"kind":"siteEvent".*"reason":"/]) {
      const line = new RegExp(`"outcome":"retry_later".*${waits.source}`);
      await eventually(() => (line.test(app.host.output().slice(logged)) ? true : undefined));
    }
  });
});
