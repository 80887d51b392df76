// The German words of the mails. Polite form: Sie.
import type { MailWords } from './mailWords';

/** German. */
export const de: MailWords = {
  locale: 'de',
  dir: 'ltr',
  passwordReset: {
    subject: '[{{siteName}}] Passwort zurücksetzen',
    intro: `Sie erhalten diese E-Mail, weil Sie oder jemand anderes ein Passwort für Ihr
Benutzerkonto bei {{domain}} angefordert hat. Wenn Sie das nicht waren, können Sie
sie einfach ignorieren. Klicken Sie auf den folgenden Link, um Ihr Passwort
zurückzusetzen.`,
    introMany: `Sie erhalten diese E-Mail, weil Sie oder jemand anderes ein Passwort für Ihre
Benutzerkonten bei {{domain}} angefordert hat. Wenn Sie das nicht waren, können Sie
sie einfach ignorieren. Klicken Sie unten auf den Link eines Kontos, um dessen
Passwort zurückzusetzen.`,
    accountHeading: 'Für den Benutzernamen {{username}}:',
    button: 'Passwort zurücksetzen',
    buttonFor: 'Passwort von {{username}} zurücksetzen',
    usernameReminder: 'Falls Sie ihn vergessen haben: Ihr Benutzername lautet {{username}}.',
  },
  passwordChanged: {
    subject: '[{{siteName}}] Passwort geändert',
    changed: 'Das Passwort Ihres Benutzerkontos {{username}} bei {{domain}} wurde soeben geändert.',
    wasYou: 'Wenn Sie es selbst geändert haben, brauchen Sie nichts weiter zu tun.',
  },
  supportLinkIssued: {
    subject: '[{{siteName}}] Passwort-Link vom Support',
    issued: `Das Support-Team von {{domain}} hat auf Anfrage einen Link ausgestellt, mit dem sich
das Passwort Ihres Benutzerkontos zurücksetzen lässt.`,
    account: 'Benutzername: {{username}}',
    noLinkHere: 'Der Link steht nicht in dieser E-Mail: Das Support-Team übergibt ihn selbst.',
  },
  shared: {
    expires: 'Der Link gilt bis {{expiresAt}}.',
    requestedFrom: 'Die Anfrage kam von {{requestedFrom}}.',
    notYou: 'Wenn Sie das nicht waren, schreiben Sie bitte sofort an {{contactEmail}}.',
    notYouNoContact: 'Wenn Sie das nicht waren, wenden Sie sich bitte sofort an die Betreiber von {{domain}}.',
    thanks: 'Vielen Dank, dass Sie unsere Website nutzen!',
  },
};
