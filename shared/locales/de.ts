// German. Polite form: Sie.
import type { Messages } from './messages';

export const de: Messages = {
  locale: 'de',
  dir: 'ltr',

  // Mails
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
    thanks: 'Vielen Dank, dass Sie unsere Website nutzen!',
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
  mail: {
    expires: 'Der Link gilt bis {{expiresAt}}.',
    requestedFrom: 'Die Anfrage kam von {{requestedFrom}}.',
    notYou: 'Wenn Sie das nicht waren, schreiben Sie bitte sofort an {{contactEmail}}.',
    notYouNoContact: 'Wenn Sie das nicht waren, wenden Sie sich bitte sofort an die Betreiber von {{domain}}.',
  },

  // Pages
  page: { errorTitle: 'Fehler: {{title}}', help: 'Brauchen Sie Hilfe?', logIn: 'Anmelden', startAgain: 'Neu beginnen' },
  forgotPassword: {
    title: 'Passwort zurücksetzen',
    intro:
      'Geben Sie die E-Mail-Adresse Ihres Kontos ein. Wir senden Ihnen einen Link, mit dem Sie ein neues Passwort wählen.',
    email: 'E-Mail-Adresse',
    button: 'Link senden',
    missing: 'Geben Sie Ihre E-Mail-Adresse ein.',
    malformed: 'Das ist keine E-Mail-Adresse. Sie sollte wie name@example.com aussehen.',
  },
  checkInbox: {
    title: 'Sehen Sie in Ihr Postfach',
    text: 'Wenn es ein passendes Konto gibt, ist eine E-Mail mit einem Link für ein neues Passwort unterwegs.',
    validity: 'Der Link gilt {{duration}}.',
    notArrived:
      'Nach einigen Minuten noch nichts da? Sehen Sie im Spam-Ordner nach und prüfen Sie, ob es die Adresse Ihres Kontos war.',
    again: 'Noch eine E-Mail anfordern',
  },
  newPassword: {
    title: 'Neues Passwort wählen',
    username: 'Benutzername',
    label: 'Neues Passwort',
    labelAgain: 'Neues Passwort noch einmal',
    rule: 'Mindestens {{count}} Zeichen. Einige Wörter hintereinander sind leicht zu merken.',
    missing: { one: 'Noch {{count}} Zeichen', other: 'Noch {{count}} Zeichen' },
    longEnough: 'Lang genug',
    show: 'Anzeigen',
    showLabel: 'Passwort anzeigen',
    hide: 'Verbergen',
    hideLabel: 'Passwort verbergen',
    button: 'Neues Passwort speichern',
    problems: {
      missing: 'Geben Sie ein neues Passwort ein.',
      mismatch: 'Die beiden Passwörter stimmen nicht überein.',
      too_short: 'Dieses Passwort ist zu kurz. Es braucht mindestens {{count}} Zeichen.',
      too_long: 'Dieses Passwort ist zu lang. Es darf höchstens {{count}} Zeichen haben.',
      malformed: 'Dieses Passwort enthält ein unlesbares Zeichen. Geben Sie es noch einmal ein.',
      too_common: 'Dieses Passwort benutzen zu viele Menschen. Wählen Sie ein anderes.',
      about_you:
        'Wählen Sie ein Passwort, das weder Ihr Benutzername noch Ihre E-Mail-Adresse noch der Name dieser Website ist.',
      breached: 'Dieses Passwort ist aus einem Datenleck bekannt. Wählen Sie ein anderes.',
    },
  },
  passwordSet: {
    title: 'Ihr Passwort ist geändert',
    text: 'Sie können sich ab jetzt mit Ihrem neuen Passwort anmelden. Zur Bestätigung haben wir Ihnen eine E-Mail gesendet.',
  },
  expiredLink: {
    title: 'Dieser Link ist abgelaufen',
    text: 'Zu Ihrer Sicherheit gilt ein Link für ein neues Passwort nur kurze Zeit.',
  },
  usedLink: {
    title: 'Dieser Link gilt nicht mehr',
    text: 'Er wurde schon benutzt, oder Ihr Konto hat sich seit dem Versand geändert.',
  },
  deadLink: {
    offer: 'Wir können einen neuen Link an die E-Mail-Adresse Ihres Kontos senden.',
    button: 'Neuen Link senden',
  },
  invalidLink: {
    title: 'Dieser Link funktioniert nicht',
    text: 'Vielleicht ist er unvollständig. Öffnen Sie den Link in der E-Mail noch einmal, oder fordern Sie einen neuen an.',
    button: 'Neuen Link anfordern',
  },
  problem: {
    too_many_requests: {
      title: 'Zu viele Versuche',
      text: 'Bitte warten Sie {{duration}} und versuchen Sie es dann noch einmal.',
    },
    unavailable: {
      title: 'Bitte versuchen Sie es gleich noch einmal',
      text: 'Bei uns ist gerade etwas gestört. Es geht nichts verloren: Ein Link, den Sie schon haben, bleibt gültig.',
    },
    internal_error: {
      title: 'Etwas ist schiefgegangen',
      text: 'Der Fehler liegt bei uns. Bitte versuchen Sie es in einigen Minuten noch einmal.',
    },
    not_found: { title: 'Seite nicht gefunden', text: 'Unter dieser Adresse gibt es nichts.' },
    cross_site: {
      title: 'Dieses Formular kam von einer anderen Website',
      text: 'Zum Schutz Ihres Kontos wurde nichts unternommen. Sie können hier neu beginnen.',
    },
    unreadable_form: {
      title: 'Das hat nicht geklappt',
      text: 'Was Ihr Browser gesendet hat, war nicht lesbar. Bitte versuchen Sie es noch einmal.',
    },
  },
};
