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
    changed: 'The password of your account {{username}} at {{domain}} has just been changed.',
    wasYou: 'If you made this change, there is nothing more to do.',
    wayOut: 'You can also reset your password yourself, right away:',
  },
  supportLinkIssued: {
    subject: '[{{siteName}}] Password Reset by Support',
    issued: `The support team of {{domain}} has issued a link to reset the password of your
account, because someone asked for one.`,
    account: 'Username: {{username}}',
    noLinkHere: 'The link is not in this e-mail: the support team passes it on directly.',
  },
  mail: {
    expires: 'The link works until {{expiresAt}}.',
    requestedFrom: 'The request came from {{requestedFrom}}.',
    notYou: 'If it was not you, please write to {{contactEmail}} at once.',
    notYouNoContact: 'If it was not you, please contact the people who run {{domain}} at once.',
    linkFallback: 'If the button does not work, copy this address into your browser:',
    sentBy: 'This e-mail was sent by {{siteName}} ({{domain}}).',
    contact: 'Questions? Write to {{contactEmail}}.',
  },

  // Pages
  page: { errorTitle: 'Error: {{title}}', help: 'Need help?', logIn: 'Log in', startAgain: 'Start again' },
  forgotPassword: {
    title: 'Reset your password',
    intro: 'Enter the email address of your account and we’ll send you a link to choose a new password.',
    email: 'Email address',
    button: 'Send link',
    missing: 'Enter your email address.',
    malformed: 'Enter an email address in the format name@example.com.',
  },
  checkInbox: {
    title: 'Check your inbox',
    text: 'If an account exists for your address, you’ll receive an email shortly with a link to choose a new password.',
    textFor:
      'If an account exists for {{email}}, you’ll receive an email shortly with a link to choose a new password.',
    validity: 'The link works for {{duration}}.',
    notArrived:
      'No email after a few minutes? Check your spam folder, and make sure you entered the address of your account.',
    again: 'Send another email',
    change: 'Wrong address? Change it',
  },
  newPassword: {
    title: 'Choose a new password',
    username: 'Username',
    label: 'New password',
    labelAgain: 'Repeat the new password',
    rule: 'At least {{count}} characters. A few random words are easy to remember.',
    missing: { one: '{{count}} more character', other: '{{count}} more characters' },
    longEnough: 'Long enough',
    show: 'Show',
    showLabel: 'Show password',
    hide: 'Hide',
    hideLabel: 'Hide password',
    button: 'Save new password',
    problems: {
      missing: 'Enter a new password.',
      mismatch: 'The two passwords don’t match.',
      too_short: 'Use at least {{count}} characters.',
      too_long: 'Use at most {{count}} characters.',
      malformed: 'This password contains an invalid character. Type it again.',
      too_common: 'This password is too common. Choose a different one.',
      about_you: 'Choose a password that isn’t your username, your email address or the name of this site.',
      breached: 'This password has appeared in a data breach. Choose a different one.',
    },
  },
  passwordSet: {
    title: 'Your password has been changed',
    text: 'You can now log in with your new password. We’ll email you a confirmation.',
  },
  expiredLink: { title: 'This link has expired', text: 'For your security, these links only work for a short time.' },
  usedLink: {
    title: 'This link no longer works',
    text: 'It has already been used, or your account has changed since it was sent.',
  },
  deadLink: { offer: 'We can send a new link to the email address of your account.', button: 'Send a new link' },
  invalidLink: {
    title: 'This link doesn’t work',
    text: 'It may be incomplete. Open the link in your email again, or request a new one.',
    button: 'Request a new link',
  },
  problem: {
    too_many_requests: { title: 'Too many attempts', text: 'Wait {{duration}}, then try again.' },
    unavailable: {
      title: 'Please try again shortly',
      text: 'Something isn’t working on our side. Links you already have stay valid.',
    },
    internal_error: {
      title: 'Something went wrong',
      text: 'The problem is on our side. Please try again in a few minutes.',
    },
    not_found: { title: 'Page not found', text: 'There is no page at this address.' },
    cross_site: {
      title: 'This form came from another website',
      text: 'To keep your account safe, nothing was done. You can start again here.',
    },
    unreadable_form: { title: 'That didn’t work', text: 'We couldn’t read what your browser sent. Please try again.' },
  },
};
