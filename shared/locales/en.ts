// English. The words of the reset mail come from CodaLab and stay byte for byte.
import type { Messages } from './messages';

export const en: Messages = {
  locale: 'en',
  dir: 'ltr',

  // Mails
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
    thanks: 'Thanks for using our site!',
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
  mail: {
    expires: 'The link works until {{expiresAt}}.',
    requestedFrom: 'The request came from {{requestedFrom}}.',
    notYou: 'If it was not you, please write to {{contactEmail}} at once.',
    notYouNoContact: 'If it was not you, please contact the people who run {{domain}} at once.',
  },

  // Pages
  page: { errorTitle: 'Error: {{title}}', help: 'Need help?', logIn: 'Log in', startAgain: 'Start again' },
  forgotPassword: {
    title: 'Reset your password',
    intro: 'Enter the e-mail address of your account, and we will send you a link to choose a new password.',
    email: 'E-mail address',
    button: 'Send the link',
    missing: 'Enter your e-mail address.',
    malformed: 'This is not an e-mail address. It should look like name@example.com.',
  },
  checkInbox: {
    title: 'Check your e-mail',
    text: 'If there is an account that fits, an e-mail with a link to choose a new password is on its way.',
    validity: 'The link works for {{duration}}.',
    notArrived:
      'Nothing there after a few minutes? Look in your spam folder, and make sure it was the address of your account.',
    again: 'Ask for another e-mail',
  },
  newPassword: {
    title: 'Choose a new password',
    username: 'Username',
    label: 'New password',
    labelAgain: 'New password once more',
    rule: 'At least {{count}} characters. A few words in a row are easy to remember.',
    missing: { one: '{{count}} more character', other: '{{count}} more characters' },
    longEnough: 'Long enough',
    show: 'Show',
    showLabel: 'Show password',
    hide: 'Hide',
    hideLabel: 'Hide password',
    button: 'Set the new password',
    problems: {
      missing: 'Enter a new password.',
      mismatch: 'The two passwords are not the same.',
      too_short: 'This password is too short. It needs at least {{count}} characters.',
      too_long: 'This password is too long. It can have up to {{count}} characters.',
      malformed: 'This password holds a broken character. Type it again.',
      too_common: 'Too many people use this password. Choose another one.',
      about_you: 'Choose a password that is not your username, your e-mail address or the name of this site.',
      breached: 'This password is known from a data breach. Choose another one.',
    },
  },
  passwordSet: {
    title: 'Your password is changed',
    text: 'You can log in with your new password from now on. We have sent you an e-mail to confirm it.',
  },
  expiredLink: {
    title: 'This link has expired',
    text: 'For your safety, a link to choose a new password works for a short time only.',
  },
  usedLink: {
    title: 'This link no longer works',
    text: 'It has been used already, or your account has changed since it was sent.',
  },
  deadLink: { offer: 'We can send a new link to the e-mail address of your account.', button: 'Send a new link' },
  invalidLink: {
    title: 'This link does not work',
    text: 'It may be incomplete. Open the link in your e-mail once more, or ask for a new one.',
    button: 'Ask for a new link',
  },
  problem: {
    too_many_requests: { title: 'Too many attempts', text: 'Please wait {{duration}}, then try again.' },
    unavailable: {
      title: 'Please try again shortly',
      text: 'Something on our side is not working just now. Nothing is lost: a link that you already have stays good.',
    },
    internal_error: {
      title: 'Something went wrong',
      text: 'The fault is on our side. Please try again in a few minutes.',
    },
    not_found: { title: 'Page not found', text: 'There is nothing at this address.' },
    cross_site: {
      title: 'This form came from another web site',
      text: 'To keep your account safe, nothing was done. You can start again here.',
    },
    unreadable_form: {
      title: 'That did not work',
      text: 'What your browser sent could not be read. Please try again.',
    },
  },
};
