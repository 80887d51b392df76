// French. Polite form: vous.
import type { Messages } from './messages';

export const fr: Messages = {
  locale: 'fr',
  dir: 'ltr',

  // Mails
  passwordReset: {
    subject: '[{{siteName}}] Réinitialisation de votre mot de passe',
    intro: `Vous recevez cet e-mail parce que vous-même ou quelqu’un d’autre avez demandé un
nouveau mot de passe pour votre compte sur {{domain}}. Si vous n’avez pas demandé de
réinitialisation, vous pouvez ignorer cet e-mail. Cliquez sur le lien ci-dessous pour
réinitialiser votre mot de passe.`,
    introMany: `Vous recevez cet e-mail parce que vous-même ou quelqu’un d’autre avez demandé un
nouveau mot de passe pour vos comptes sur {{domain}}. Si vous n’avez pas demandé de
réinitialisation, vous pouvez ignorer cet e-mail. Cliquez ci-dessous sur le lien d’un
compte pour réinitialiser son mot de passe.`,
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
    wayOut: 'Vous pouvez aussi réinitialiser vous-même votre mot de passe dès maintenant :',
  },
  supportLinkIssued: {
    subject: '[{{siteName}}] Réinitialisation du mot de passe par l’assistance',
    issued: `L’équipe d’assistance de {{domain}} a créé un lien permettant de réinitialiser
le mot de passe de votre compte, à la suite d’une demande.`,
    account: 'Nom d’utilisateur : {{username}}',
    noLinkHere: 'Le lien ne figure pas dans cet e-mail : l’équipe d’assistance le transmet directement.',
  },
  mail: {
    expires: 'Le lien est valable jusqu’au {{expiresAt}}.',
    requestedFrom: 'La demande provient de {{requestedFrom}}.',
    notYou: 'Si ce n’était pas vous, veuillez écrire sans attendre à {{contactEmail}}.',
    notYouNoContact: 'Si ce n’était pas vous, veuillez contacter sans attendre les responsables de {{domain}}.',
    linkFallback: 'Si le bouton ne fonctionne pas, copiez cette adresse dans votre navigateur :',
    sentBy: 'Cet e-mail a été envoyé par {{siteName}} ({{domain}}).',
    contact: 'Une question ? Écrivez à {{contactEmail}}.',
  },

  // Pages
  page: { errorTitle: 'Erreur : {{title}}', help: 'Besoin d’aide ?', logIn: 'Se connecter', startAgain: 'Recommencer' },
  forgotPassword: {
    title: 'Réinitialiser votre mot de passe',
    intro:
      'Saisissez l’adresse e‑mail de votre compte. Nous vous enverrons un lien pour choisir un nouveau mot de passe.',
    email: 'Adresse e‑mail',
    button: 'Envoyer le lien',
    missing: 'Saisissez votre adresse e‑mail.',
    malformed: 'Saisissez une adresse e‑mail au format nom@example.com.',
  },
  checkInbox: {
    title: 'Consultez votre boîte de réception',
    text: 'Si un compte correspond à votre adresse, vous recevrez d’ici peu un e‑mail contenant un lien pour choisir un nouveau mot de passe.',
    textFor:
      'Si un compte correspond à {{email}}, vous recevrez d’ici peu un e‑mail contenant un lien pour choisir un nouveau mot de passe.',
    validity: 'Le lien est valable {{duration}}.',
    notArrived:
      'Toujours rien après quelques minutes ? Regardez dans vos courriers indésirables et vérifiez que vous avez saisi l’adresse de votre compte.',
    again: 'Recevoir un nouvel e‑mail',
    change: 'Mauvaise adresse ? La modifier',
  },
  newPassword: {
    title: 'Choisir un nouveau mot de passe',
    username: 'Nom d’utilisateur',
    label: 'Nouveau mot de passe',
    labelAgain: 'Confirmer le nouveau mot de passe',
    rule: 'Au moins {{count}} caractères. Quelques mots pris au hasard se retiennent facilement.',
    missing: { one: 'Encore {{count}} caractère', other: 'Encore {{count}} caractères' },
    longEnough: 'Longueur suffisante',
    show: 'Afficher',
    showLabel: 'Afficher le mot de passe',
    hide: 'Masquer',
    hideLabel: 'Masquer le mot de passe',
    button: 'Enregistrer le nouveau mot de passe',
    problems: {
      missing: 'Saisissez un nouveau mot de passe.',
      mismatch: 'Les deux mots de passe ne correspondent pas.',
      too_short: 'Le mot de passe doit comporter au moins {{count}} caractères.',
      too_long: 'Le mot de passe doit comporter au plus {{count}} caractères.',
      malformed: 'Le mot de passe contient un caractère non valide. Saisissez-le à nouveau.',
      too_common: 'Ce mot de passe est trop courant. Choisissez-en un autre.',
      about_you:
        'Le mot de passe ne doit être ni votre nom d’utilisateur, ni votre adresse e‑mail, ni le nom de ce site.',
      breached: 'Ce mot de passe figure dans une fuite de données. Choisissez-en un autre.',
    },
  },
  passwordSet: {
    title: 'Votre mot de passe a été modifié',
    text: 'Vous pouvez maintenant vous connecter avec votre nouveau mot de passe. Vous recevrez un e‑mail de confirmation.',
  },
  expiredLink: { title: 'Ce lien a expiré', text: 'Pour votre sécurité, ces liens ne sont valables que peu de temps.' },
  usedLink: {
    title: 'Ce lien n’est plus valable',
    text: 'Il a déjà été utilisé, ou votre compte a été modifié depuis son envoi.',
  },
  deadLink: {
    offer: 'Nous pouvons envoyer un nouveau lien à l’adresse e‑mail de votre compte.',
    button: 'Envoyer un nouveau lien',
  },
  invalidLink: {
    title: 'Ce lien ne fonctionne pas',
    text: 'Il est peut-être incomplet. Ouvrez à nouveau le lien reçu par e‑mail ou demandez-en un autre.',
    button: 'Demander un nouveau lien',
  },
  problem: {
    too_many_requests: { title: 'Trop de tentatives', text: 'Patientez {{duration}}, puis réessayez.' },
    unavailable: {
      title: 'Réessayez dans un instant',
      text: 'Un problème technique est survenu de notre côté. Les liens que vous avez déjà reçus restent valables.',
    },
    internal_error: {
      title: 'Une erreur s’est produite',
      text: 'Le problème vient de notre côté. Réessayez dans quelques minutes.',
    },
    not_found: { title: 'Page introuvable', text: 'Il n’y a aucune page à cette adresse.' },
    cross_site: {
      title: 'Ce formulaire provient d’un autre site',
      text: 'Pour protéger votre compte, aucune action n’a été effectuée. Vous pouvez recommencer ici.',
    },
    unreadable_form: {
      title: 'Cela n’a pas fonctionné',
      text: 'Les données envoyées par votre navigateur sont illisibles. Veuillez réessayer.',
    },
  },
};
