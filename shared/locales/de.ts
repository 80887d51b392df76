// German. Polite form: Sie.
import type { Messages } from './messages';

export const de: Messages = {
  locale: 'de',
  dir: 'ltr',

  // Mails
  passwordReset: {
    subject: '[{{siteName}}] Passwort zurücksetzen',
    intro: `Sie erhalten diese E-Mail, weil Sie oder jemand anderes ein neues Passwort
für Ihr Benutzerkonto bei {{domain}} angefordert hat. Wenn Sie das nicht
waren, können Sie diese E-Mail einfach ignorieren. Klicken Sie auf den folgenden
Link, um Ihr Passwort zurückzusetzen.`,
    introMany: `Sie erhalten diese E-Mail, weil Sie oder jemand anderes ein neues Passwort
für Ihre Benutzerkonten bei {{domain}} angefordert hat. Wenn Sie das nicht
waren, können Sie diese E-Mail einfach ignorieren. Klicken Sie unten auf den Link
eines Kontos, um dessen Passwort zurückzusetzen.`,
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
    wayOut: 'Sie können Ihr Passwort auch sofort selbst zurücksetzen:',
  },
  supportLinkIssued: {
    subject: '[{{siteName}}] Passwort-Link vom Support',
    issued: `Das Support-Team von {{domain}} hat auf Anfrage einen Link ausgestellt, mit dem sich
das Passwort Ihres Benutzerkontos zurücksetzen lässt.`,
    account: 'Benutzername: {{username}}',
    noLinkHere: 'Der Link steht nicht in dieser E-Mail: Das Support-Team übermittelt ihn direkt.',
  },
  mail: {
    expires: 'Der Link gilt bis {{expiresAt}}.',
    requestedFrom: 'Die Anfrage kam von {{requestedFrom}}.',
    notYou: 'Wenn Sie das nicht waren, schreiben Sie bitte sofort an {{contactEmail}}.',
    notYouNoContact: 'Wenn Sie das nicht waren, wenden Sie sich bitte sofort an die Betreiber von {{domain}}.',
    linkFallback: 'Falls die Schaltfläche nicht funktioniert, kopieren Sie diese Adresse in Ihren Browser:',
    sentBy: 'Diese E-Mail wurde von {{siteName}} ({{domain}}) gesendet.',
    contact: 'Fragen? Schreiben Sie an {{contactEmail}}.',
  },

  // Pages
  page: {
    errorTitle: 'Fehler: {{title}}',
    help: 'Brauchen Sie Hilfe?',
    logIn: 'Anmelden',
    startAgain: 'Von vorn beginnen',
  },
  forgotPassword: {
    title: 'Passwort zurücksetzen',
    intro:
      'Geben Sie die E‑Mail-Adresse Ihres Kontos ein. Wir senden Ihnen dann einen Link, über den Sie ein neues Passwort festlegen können.',
    email: 'E‑Mail-Adresse',
    button: 'Link senden',
    missing: 'Geben Sie Ihre E‑Mail-Adresse ein.',
    malformed: 'Geben Sie eine E‑Mail-Adresse im Format name@example.com ein.',
  },
  checkInbox: {
    title: 'Prüfen Sie Ihren Posteingang',
    text: 'Wenn es zu Ihrer Adresse ein Konto gibt, erhalten Sie in Kürze eine E‑Mail mit einem Link, über den Sie ein neues Passwort festlegen können.',
    textFor:
      'Wenn es zu {{email}} ein Konto gibt, erhalten Sie in Kürze eine E‑Mail mit einem Link, über den Sie ein neues Passwort festlegen können.',
    validity: 'Der Link ist {{duration}} gültig.',
    notArrived:
      'Nach einigen Minuten keine E‑Mail? Sehen Sie im Spam-Ordner nach und prüfen Sie, ob Sie die Adresse Ihres Kontos eingegeben haben.',
    again: 'Neue E‑Mail anfordern',
    change: 'Falsche Adresse? Ändern',
  },
  newPassword: {
    title: 'Neues Passwort festlegen',
    username: 'Benutzername',
    label: 'Neues Passwort',
    labelAgain: 'Neues Passwort wiederholen',
    rule: 'Mindestens {{count}} Zeichen. Einige zufällige Wörter lassen sich leicht merken.',
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
      too_short: 'Das Passwort muss mindestens {{count}} Zeichen lang sein.',
      too_long: 'Das Passwort darf höchstens {{count}} Zeichen lang sein.',
      malformed: 'Das Passwort enthält ein ungültiges Zeichen. Geben Sie es noch einmal ein.',
      too_common: 'Dieses Passwort ist zu verbreitet. Wählen Sie ein anderes.',
      about_you: 'Das Passwort darf nicht Ihr Benutzername, Ihre E‑Mail-Adresse oder der Name dieser Website sein.',
      breached: 'Dieses Passwort ist aus einem Datenleck bekannt. Wählen Sie ein anderes.',
    },
  },
  passwordSet: {
    title: 'Ihr Passwort wurde geändert',
    text: 'Sie können sich jetzt mit dem neuen Passwort anmelden. Zur Bestätigung erhalten Sie eine E‑Mail.',
  },
  expiredLink: {
    title: 'Dieser Link ist abgelaufen',
    text: 'Zu Ihrer Sicherheit sind solche Links nur kurze Zeit gültig.',
  },
  usedLink: {
    title: 'Dieser Link ist nicht mehr gültig',
    text: 'Er wurde bereits verwendet, oder Ihr Konto hat sich seit dem Versand geändert.',
  },
  deadLink: {
    offer: 'Wir können einen neuen Link an die E‑Mail-Adresse Ihres Kontos senden.',
    button: 'Neuen Link senden',
  },
  invalidLink: {
    title: 'Dieser Link funktioniert nicht',
    text: 'Möglicherweise ist er unvollständig. Öffnen Sie den Link in der E‑Mail noch einmal oder fordern Sie einen neuen an.',
    button: 'Neuen Link anfordern',
  },
  problem: {
    too_many_requests: {
      title: 'Zu viele Versuche',
      text: 'Bitte warten Sie {{duration}} und versuchen Sie es dann noch einmal.',
    },
    unavailable: {
      title: 'Bitte versuchen Sie es gleich noch einmal',
      text: 'Bei uns gibt es gerade eine Störung. Links, die Sie bereits haben, bleiben gültig.',
    },
    internal_error: {
      title: 'Etwas ist schiefgegangen',
      text: 'Der Fehler liegt bei uns. Bitte versuchen Sie es in einigen Minuten noch einmal.',
    },
    not_found: { title: 'Seite nicht gefunden', text: 'Unter dieser Adresse gibt es keine Seite.' },
    cross_site: {
      title: 'Dieses Formular stammt von einer anderen Website',
      text: 'Zum Schutz Ihres Kontos wurde nichts geändert. Sie können hier von vorn beginnen.',
    },
    unreadable_form: {
      title: 'Das hat nicht geklappt',
      text: 'Die Daten Ihres Browsers konnten nicht gelesen werden. Bitte versuchen Sie es noch einmal.',
    },
  },
};
