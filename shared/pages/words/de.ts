// The German words of the pages. Polite form: Sie.
import type { PageWords } from './pageWords';

/** German. */
export const de: PageWords = {
  locale: 'de',
  dir: 'ltr',
  shared: {
    errorTitle: 'Fehler: {{title}}',
    help: 'Brauchen Sie Hilfe?',
    logIn: 'Anmelden',
    startAgain: 'Neu beginnen',
  },
  ask: {
    title: 'Passwort zurücksetzen',
    intro:
      'Geben Sie die E-Mail-Adresse Ihres Kontos ein. Wir senden Ihnen einen Link, mit dem Sie ein neues Passwort wählen.',
    email: 'E-Mail-Adresse',
    button: 'Link senden',
    missing: 'Geben Sie Ihre E-Mail-Adresse ein.',
    malformed: 'Das ist keine E-Mail-Adresse. Sie sollte wie name@example.com aussehen.',
  },
  sent: {
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
  tooManyRequests: {
    title: 'Zu viele Versuche',
    text: 'Bitte warten Sie {{duration}} und versuchen Sie es dann noch einmal.',
  },
  unavailable: {
    title: 'Bitte versuchen Sie es gleich noch einmal',
    text: 'Bei uns ist gerade etwas gestört. Es geht nichts verloren: Ein Link, den Sie schon haben, bleibt gültig.',
  },
  internalError: {
    title: 'Etwas ist schiefgegangen',
    text: 'Der Fehler liegt bei uns. Bitte versuchen Sie es in einigen Minuten noch einmal.',
  },
  notFound: {
    title: 'Seite nicht gefunden',
    text: 'Unter dieser Adresse gibt es nichts.',
  },
  crossSite: {
    title: 'Dieses Formular kam von einer anderen Website',
    text: 'Zum Schutz Ihres Kontos wurde nichts unternommen. Sie können hier neu beginnen.',
  },
  unreadableForm: {
    title: 'Das hat nicht geklappt',
    text: 'Was Ihr Browser gesendet hat, war nicht lesbar. Bitte versuchen Sie es noch einmal.',
  },
};
