// The English words. The text of the reset mail is decided byte for byte (design §8): change nothing here without changing it there.
import type { MailWords } from './mailWords';

/** English, the language every other tag falls back to. */
export const en: MailWords = {
  locale: 'en',
  dir: 'ltr',
  passwordReset: {
    subject: '[{{siteName}}] Password Reset E-mail',
    intro: `You're receiving this e-mail because you or someone else has requested a password
for your user account at {{domain}}. It can be safely ignored if you did not request
a password reset. Click the link below to reset your password.`,
    introMany: `You're receiving this e-mail because you or someone else has requested a password
for your user accounts at {{domain}}. It can be safely ignored if you did not request
a password reset. Click the link of an account below to reset its password.`,
    accountHeading: 'For the username {{username}}:',
    button: 'Reset your password',
    buttonFor: 'Reset the password of {{username}}',
    usernameReminder: 'In case you forgot, your username is {{username}}.',
  },
  passwordChanged: {
    subject: '[{{siteName}}] Password Changed',
    changed: 'The password of your user account {{username}} at {{domain}} has just been changed.',
    wasYou: 'If it was you who changed it, there is nothing more to do.',
  },
  supportLinkIssued: {
    subject: '[{{siteName}}] Password Reset by Support',
    issued: `The support team of {{domain}} has issued a link to reset the password of your
user account, because someone asked them for it.`,
    account: 'Username: {{username}}',
    noLinkHere: 'The link is not in this e-mail: the support team hands it over itself.',
  },
  shared: {
    expires: 'The link works until {{expiresAt}}.',
    requestedFrom: 'The request came from {{requestedFrom}}.',
    notYou: 'If it was not you, please write to {{contactEmail}} at once.',
    notYouNoContact: 'If it was not you, please contact the people who run {{domain}} at once.',
    thanks: 'Thanks for using our site!',
  },
};
