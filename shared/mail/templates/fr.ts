// The French words of the mails. Polite form: vous.
import type { MailWords } from './mailWords';

/** French. */
export const fr: MailWords = {
  locale: 'fr',
  dir: 'ltr',
  passwordReset: {
    subject: '[{{siteName}}] Réinitialisation de votre mot de passe',
    intro: `Vous recevez cet e-mail parce que vous-même ou quelqu’un d’autre avez demandé un mot
de passe pour votre compte sur {{domain}}. Si vous n’avez pas demandé de
réinitialisation, vous pouvez l’ignorer sans risque. Cliquez sur le lien ci-dessous
pour réinitialiser votre mot de passe.`,
    introMany: `Vous recevez cet e-mail parce que vous-même ou quelqu’un d’autre avez demandé un mot
de passe pour vos comptes sur {{domain}}. Si vous n’avez pas demandé de
réinitialisation, vous pouvez l’ignorer sans risque. Cliquez ci-dessous sur le lien
d’un compte pour réinitialiser son mot de passe.`,
    accountHeading: 'Pour le nom d’utilisateur {{username}} :',
    button: 'Réinitialiser votre mot de passe',
    buttonFor: 'Réinitialiser le mot de passe de {{username}}',
    usernameReminder: 'Si vous l’avez oublié, votre nom d’utilisateur est {{username}}.',
  },
  passwordChanged: {
    subject: '[{{siteName}}] Votre mot de passe a été modifié',
    changed: 'Le mot de passe de votre compte {{username}} sur {{domain}} vient d’être modifié.',
    wasYou: 'Si c’est vous qui l’avez modifié, vous n’avez rien d’autre à faire.',
  },
  supportLinkIssued: {
    subject: '[{{siteName}}] Réinitialisation du mot de passe par l’assistance',
    issued: `L’équipe d’assistance de {{domain}} a créé un lien permettant de réinitialiser
le mot de passe de votre compte, à la demande de quelqu’un.`,
    account: 'Nom d’utilisateur : {{username}}',
    noLinkHere: 'Le lien ne figure pas dans cet e-mail : l’équipe d’assistance le remet elle-même.',
  },
  shared: {
    expires: 'Le lien est valable jusqu’au {{expiresAt}}.',
    requestedFrom: 'La demande provient de {{requestedFrom}}.',
    notYou: 'Si ce n’était pas vous, veuillez écrire sans attendre à {{contactEmail}}.',
    notYouNoContact: 'Si ce n’était pas vous, veuillez contacter sans attendre les responsables de {{domain}}.',
    thanks: 'Merci d’utiliser notre site !',
  },
};
