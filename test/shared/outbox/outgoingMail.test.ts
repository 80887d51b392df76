import {
  outgoingMailVersion,
  openOutgoingMail,
  sealOutgoingMail,
  type OutgoingContent,
} from '../../shared/outgoingMail';
import { seal } from '../../shared/seal';
import { secretA, secretB, start } from '../support/flow';

const id = 'AAECAwQFBgcICQoLDA0ODw';
const sub = 'cM-Cuc5Ca17_SqXTIlSZcQ';
const request: OutgoingContent = {
  kind: 'resetAddress',
  email: 'someuser@somewhere.com',
  key: 'a.b.c',
  acceptedAt: start,
  client: '203.0.113.7',
  locale: 'en',
};
const sealed = sealOutgoingMail(secretA, id, request);
/** A message with any inside under a good seal. */
const withInside = (inside: string) => ({ ...sealed, sealed: seal(secretA, { v: 1, id }, inside) });

describe('an outgoing mail', () => {
  it.each<OutgoingContent>([
    request,
    { kind: 'resetAccount', sub, accountId: '1', charged: true, acceptedAt: start },
    { kind: 'passwordChanged', sub, accountId: '1', resetKeyId: 'x', acceptedAt: start },
    { kind: 'linkIssued', sub, accountId: '1', acceptedAt: start },
  ])('opens to what was sealed: $kind', (content) => {
    const envelope = sealOutgoingMail(secretA, id, content);
    expect(openOutgoingMail([secretA], JSON.parse(JSON.stringify(envelope)))).toEqual({
      outcome: 'opened',
      envelope,
      content,
    });
  });

  it('has the outside of design §6, and nothing readable in it', () => {
    expect(Object.keys(sealed)).toEqual(['v', 'id', 'attempt', 'kid', 'sealed']);
    expect(sealed).toMatchObject({ v: 1, id, attempt: 0, kid: 'a' });
    expect(JSON.stringify(sealed)).not.toMatch(/somewhere|203\.0/);
  });

  it('[Q3] [E1] has one size for the shortest and the longest request, under 2 kB even in base64', () => {
    const address = `${'a'.repeat(60)}@${['b', 'c', 'd'].map((x) => x.repeat(61)).join('.')}.${'e'.repeat(7)}`;
    const longest: OutgoingContent = {
      ...request,
      email: address,
      key: 'k'.repeat(255),
      client: '2001:db8:ffff:ffff::/64',
      locale: 'x'.repeat(35),
    };
    const shortest: OutgoingContent = { kind: 'resetAddress', email: 'a@b', key: 'k', acceptedAt: start };
    const [short, long] = [shortest, longest].map((content) => JSON.stringify(sealOutgoingMail(secretA, id, content)));
    expect(long?.length).toBe(short?.length);
    expect(Buffer.from(long ?? '').toString('base64').length).toBeLessThan(2000);
  });

  it('[D3] of a newer version, or under a kid we do not have, waits for an instance that can open it', () => {
    expect(openOutgoingMail([secretA], { ...sealed, v: outgoingMailVersion + 1 })).toMatchObject({
      outcome: 'notYet',
      reason: 'newer_version',
    });
    expect(openOutgoingMail([secretB], sealed)).toMatchObject({ outcome: 'notYet', reason: 'unknown_kid' });
  });

  it('[D3] opens with any secret of the list', () => {
    expect(openOutgoingMail([secretB, secretA], sealed)).toMatchObject({ outcome: 'opened' });
  });

  it('[D3] opens with further fields outside, which a later version may add', () => {
    expect(openOutgoingMail([secretA], { ...sealed, traceparent: 'x' })).toMatchObject({ outcome: 'opened' });
  });

  it.each([
    ['text', 'not JSON'],
    ['null', null],
    ['undefined', undefined],
    ['a number', 7],
    ['an array', [sealed]],
    ['an empty object', {}],
    ['no id', { ...sealed, id: undefined }],
    ['an id that is none', { ...sealed, id: '../../x' }],
    ['a fractional attempt', { ...sealed, attempt: 0.5 }],
    ['a negative attempt', { ...sealed, attempt: -1 }],
    ['version 0', { ...sealed, v: 0 }],
    ['a version as text', { ...sealed, v: '1' }],
    ['60 kB of junk', { ...sealed, sealed: 'x'.repeat(60_000) }],
    ['a changed tag', { ...sealed, sealed: `${sealed.sealed.slice(0, -1)}${sealed.sealed.endsWith('A') ? 'B' : 'A'}` }],
    ['the id of another mail', { ...sealed, id: 'BBECAwQFBgcICQoLDA0ODw' }],
    ['a good seal around no JSON', withInside('hello')],
    ['a good seal around null', withInside('null')],
    ['a good seal around an unknown kind', withInside('{"kind":"spam","to":"x@y"}')],
    ['a good seal around a missing field', withInside(JSON.stringify({ ...request, email: undefined }))],
    ['a good seal around a further field', withInside(JSON.stringify({ ...request, bcc: 'evil@z.example' }))],
    ['a good seal around a broken time', withInside(JSON.stringify({ ...request, acceptedAt: 'yesterday' }))],
  ])('[Q1] is unreadable when it is %s', (_what, message) => {
    expect(openOutgoingMail([secretA], message)).toEqual({ outcome: 'unreadable' });
  });
});
