// The Spanish words of the mails. Polite form: usted.
import type { MailWords } from './mailWords';

/** Spanish. */
export const es: MailWords = {
  locale: 'es',
  dir: 'ltr',
  passwordReset: {
    subject: '[{{siteName}}] Restablecer la contraseña',
    intro: `Recibe este mensaje porque usted u otra persona ha pedido una contraseña para su
cuenta de usuario en {{domain}}. Si no ha pedido restablecer la contraseña, puede
ignorarlo sin problema. Haga clic en el siguiente enlace para restablecer su
contraseña.`,
    introMany: `Recibe este mensaje porque usted u otra persona ha pedido una contraseña para sus
cuentas de usuario en {{domain}}. Si no ha pedido restablecer la contraseña, puede
ignorarlo sin problema. Haga clic en el enlace de una de las siguientes cuentas para
restablecer su contraseña.`,
    accountHeading: 'Para el nombre de usuario {{username}}:',
    button: 'Restablecer su contraseña',
    buttonFor: 'Restablecer la contraseña de {{username}}',
    usernameReminder: 'Por si lo ha olvidado, su nombre de usuario es {{username}}.',
  },
  passwordChanged: {
    subject: '[{{siteName}}] Contraseña cambiada',
    changed: 'La contraseña de su cuenta de usuario {{username}} en {{domain}} se acaba de cambiar.',
    wasYou: 'Si la ha cambiado usted, no tiene que hacer nada más.',
  },
  supportLinkIssued: {
    subject: '[{{siteName}}] Restablecimiento de la contraseña por el equipo de ayuda',
    issued: `El equipo de ayuda de {{domain}} ha creado un enlace para restablecer la contraseña
de su cuenta de usuario, porque alguien se lo ha pedido.`,
    account: 'Nombre de usuario: {{username}}',
    noLinkHere: 'El enlace no está en este mensaje: el equipo de ayuda lo entrega personalmente.',
  },
  shared: {
    expires: 'El enlace es válido hasta el {{expiresAt}}.',
    requestedFrom: 'La petición llegó desde {{requestedFrom}}.',
    notYou: 'Si no ha sido usted, escriba cuanto antes a {{contactEmail}}.',
    notYouNoContact: 'Si no ha sido usted, póngase en contacto cuanto antes con los responsables de {{domain}}.',
    thanks: '¡Gracias por usar nuestro sitio!',
  },
};
