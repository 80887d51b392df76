// French. Polite form: vous.
import type { Messages } from './messages';

export const fr: Messages = {
  locale: 'fr',
  dir: 'ltr',

  // Mails
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
    thanks: 'Merci d’utiliser notre site !',
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
  mail: {
    expires: 'Le lien est valable jusqu’au {{expiresAt}}.',
    requestedFrom: 'La demande provient de {{requestedFrom}}.',
    notYou: 'Si ce n’était pas vous, veuillez écrire sans attendre à {{contactEmail}}.',
    notYouNoContact: 'Si ce n’était pas vous, veuillez contacter sans attendre les responsables de {{domain}}.',
  },

  // Pages
  page: { errorTitle: 'Erreur : {{title}}', help: 'Besoin d’aide ?', logIn: 'Se connecter', startAgain: 'Recommencer' },
  forgotPassword: {
    title: 'Réinitialiser votre mot de passe',
    intro:
      'Saisissez l’adresse e-mail de votre compte : nous vous enverrons un lien pour choisir un nouveau mot de passe.',
    email: 'Adresse e-mail',
    button: 'Envoyer le lien',
    missing: 'Saisissez votre adresse e-mail.',
    malformed: 'Ceci n’est pas une adresse e-mail. Elle doit ressembler à nom@example.com.',
  },
  checkInbox: {
    title: 'Consultez vos e-mails',
    text: 'S’il existe un compte correspondant, un e-mail contenant un lien pour choisir un nouveau mot de passe est en route.',
    validity: 'Le lien est valable pendant {{duration}}.',
    notArrived:
      'Toujours rien après quelques minutes ? Regardez dans vos courriers indésirables et vérifiez qu’il s’agit bien de l’adresse de votre compte.',
    again: 'Demander un autre e-mail',
  },
  newPassword: {
    title: 'Choisir un nouveau mot de passe',
    username: 'Nom d’utilisateur',
    label: 'Nouveau mot de passe',
    labelAgain: 'Nouveau mot de passe, encore une fois',
    rule: 'Au moins {{count}} caractères. Quelques mots à la suite se retiennent facilement.',
    missing: { one: 'Encore {{count}} caractère', other: 'Encore {{count}} caractères' },
    longEnough: 'Longueur suffisante',
    show: 'Afficher',
    showLabel: 'Afficher le mot de passe',
    hide: 'Masquer',
    hideLabel: 'Masquer le mot de passe',
    button: 'Enregistrer le nouveau mot de passe',
    problems: {
      missing: 'Saisissez un nouveau mot de passe.',
      mismatch: 'Les deux mots de passe ne sont pas identiques.',
      too_short: 'Ce mot de passe est trop court. Il lui faut au moins {{count}} caractères.',
      too_long: 'Ce mot de passe est trop long. Il peut compter jusqu’à {{count}} caractères.',
      malformed: 'Ce mot de passe contient un caractère illisible. Saisissez-le à nouveau.',
      too_common: 'Trop de personnes utilisent ce mot de passe. Choisissez-en un autre.',
      about_you:
        'Choisissez un mot de passe qui ne soit ni votre nom d’utilisateur, ni votre adresse e-mail, ni le nom de ce site.',
      breached: 'Ce mot de passe figure dans une fuite de données connue. Choisissez-en un autre.',
    },
  },
  passwordSet: {
    title: 'Votre mot de passe est modifié',
    text: 'Vous pouvez désormais vous connecter avec votre nouveau mot de passe. Nous vous avons envoyé un e-mail de confirmation.',
  },
  expiredLink: {
    title: 'Ce lien a expiré',
    text: 'Pour votre sécurité, un lien permettant de choisir un nouveau mot de passe n’est valable que peu de temps.',
  },
  usedLink: {
    title: 'Ce lien ne fonctionne plus',
    text: 'Il a déjà été utilisé, ou votre compte a été modifié depuis son envoi.',
  },
  deadLink: {
    offer: 'Nous pouvons envoyer un nouveau lien à l’adresse e-mail de votre compte.',
    button: 'Envoyer un nouveau lien',
  },
  invalidLink: {
    title: 'Ce lien ne fonctionne pas',
    text: 'Il est peut-être incomplet. Ouvrez à nouveau le lien reçu par e-mail, ou demandez-en un autre.',
    button: 'Demander un nouveau lien',
  },
  problem: {
    too_many_requests: { title: 'Trop de tentatives', text: 'Veuillez patienter {{duration}}, puis réessayez.' },
    unavailable: {
      title: 'Réessayez dans un instant',
      text: 'Un problème technique nous empêche de vous répondre. Rien n’est perdu : un lien que vous avez déjà reçu reste valable.',
    },
    internal_error: {
      title: 'Une erreur s’est produite',
      text: 'Le problème vient de chez nous. Veuillez réessayer dans quelques minutes.',
    },
    not_found: { title: 'Page introuvable', text: 'Il n’y a rien à cette adresse.' },
    cross_site: {
      title: 'Ce formulaire vient d’un autre site',
      text: 'Pour protéger votre compte, rien n’a été fait. Vous pouvez recommencer ici.',
    },
    unreadable_form: {
      title: 'Cela n’a pas fonctionné',
      text: 'Les données envoyées par votre navigateur sont illisibles. Veuillez réessayer.',
    },
  },
};
