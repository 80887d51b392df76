// Spanish. Polite form: usted.
import type { Messages } from './messages';

export const es: Messages = {
  locale: 'es',
  dir: 'ltr',

  // Mails
  passwordReset: {
    subject: '[{{siteName}}] Restablecer la contraseña',
    intro: `Recibe este mensaje porque usted u otra persona ha pedido una contraseña nueva
para su cuenta de usuario en {{domain}}. Si no ha pedido restablecer la contraseña, puede
ignorarlo sin problema. Haga clic en el siguiente enlace para restablecer su
contraseña.`,
    introMany: `Recibe este mensaje porque usted u otra persona ha pedido una contraseña nueva
para sus cuentas de usuario en {{domain}}. Si no ha pedido restablecer la contraseña, puede
ignorarlo sin problema. Haga clic en el enlace de una de las siguientes cuentas para
restablecer su contraseña.`,
    accountHeading: 'Para el nombre de usuario {{username}}:',
    button: 'Restablecer su contraseña',
    buttonFor: 'Restablecer la contraseña de {{username}}',
    usernameReminder: 'Por si lo ha olvidado, su nombre de usuario es {{username}}.',
    thanks: '¡Gracias por usar nuestro sitio!',
  },
  passwordChanged: {
    subject: '[{{siteName}}] Contraseña cambiada',
    changed: 'La contraseña de su cuenta de usuario {{username}} en {{domain}} se acaba de cambiar.',
    wasYou: 'Si la ha cambiado usted, no tiene que hacer nada más.',
    wayOut: 'También puede restablecer usted la contraseña ahora mismo:',
  },
  supportLinkIssued: {
    subject: '[{{siteName}}] Restablecimiento de la contraseña por el equipo de ayuda',
    issued: `El equipo de ayuda de {{domain}} ha creado un enlace para restablecer la contraseña
de su cuenta de usuario, a raíz de una solicitud.`,
    account: 'Nombre de usuario: {{username}}',
    noLinkHere: 'El enlace no está en este mensaje: el equipo de ayuda lo entrega directamente.',
  },
  mail: {
    expires: 'El enlace es válido hasta el {{expiresAt}}.',
    requestedFrom: 'La petición llegó desde {{requestedFrom}}.',
    notYou: 'Si no ha sido usted, escriba cuanto antes a {{contactEmail}}.',
    notYouNoContact: 'Si no ha sido usted, póngase en contacto cuanto antes con los responsables de {{domain}}.',
    linkFallback: 'Si el botón no funciona, copie esta dirección en su navegador:',
    sentBy: 'Este mensaje ha sido enviado por {{siteName}} ({{domain}}).',
    contact: '¿Tiene alguna pregunta? Escriba a {{contactEmail}}.',
  },

  // Pages
  page: {
    errorTitle: 'Error: {{title}}',
    help: '¿Necesita ayuda?',
    logIn: 'Iniciar sesión',
    startAgain: 'Volver a empezar',
  },
  forgotPassword: {
    title: 'Restablecer la contraseña',
    intro:
      'Introduzca la dirección de correo electrónico de su cuenta y le enviaremos un enlace para elegir una contraseña nueva.',
    email: 'Correo electrónico',
    button: 'Enviar enlace',
    missing: 'Introduzca su dirección de correo electrónico.',
    malformed: 'Introduzca una dirección de correo electrónico con el formato nombre@example.com.',
  },
  checkInbox: {
    title: 'Revise su bandeja de entrada',
    text: 'Si existe una cuenta con su dirección, en breve recibirá un mensaje con un enlace para elegir una contraseña nueva.',
    textFor:
      'Si existe una cuenta con la dirección {{email}}, en breve recibirá un mensaje con un enlace para elegir una contraseña nueva.',
    validity: 'El enlace es válido durante {{duration}}.',
    notArrived:
      '¿No ha llegado nada después de unos minutos? Revise la carpeta de correo no deseado y compruebe que ha escrito la dirección de su cuenta.',
    again: 'Solicitar otro mensaje',
    change: '¿Dirección equivocada? Cambiarla',
  },
  newPassword: {
    title: 'Elija una contraseña nueva',
    username: 'Nombre de usuario',
    label: 'Contraseña nueva',
    labelAgain: 'Repita la contraseña nueva',
    rule: 'Al menos {{count}} caracteres. Unas cuantas palabras al azar son fáciles de recordar.',
    missing: { one: 'Falta {{count}} carácter', other: 'Faltan {{count}} caracteres' },
    longEnough: 'Longitud suficiente',
    show: 'Mostrar',
    showLabel: 'Mostrar la contraseña',
    hide: 'Ocultar',
    hideLabel: 'Ocultar la contraseña',
    button: 'Guardar la contraseña nueva',
    problems: {
      missing: 'Introduzca una contraseña nueva.',
      mismatch: 'Las dos contraseñas no coinciden.',
      too_short: 'La contraseña debe tener al menos {{count}} caracteres.',
      too_long: 'La contraseña debe tener como máximo {{count}} caracteres.',
      malformed: 'La contraseña contiene un carácter no válido. Escríbala de nuevo.',
      too_common: 'Esta contraseña es demasiado común. Elija otra.',
      about_you:
        'La contraseña no puede ser su nombre de usuario, su dirección de correo electrónico ni el nombre de este sitio.',
      breached: 'Esta contraseña aparece en una filtración de datos. Elija otra.',
    },
  },
  passwordSet: {
    title: 'Su contraseña se ha cambiado',
    text: 'Ya puede iniciar sesión con la contraseña nueva. Recibirá un mensaje de confirmación.',
  },
  expiredLink: {
    title: 'Este enlace ha caducado',
    text: 'Por su seguridad, estos enlaces solo son válidos durante un tiempo breve.',
  },
  usedLink: {
    title: 'Este enlace ya no es válido',
    text: 'Ya se ha utilizado, o su cuenta ha cambiado desde que se envió.',
  },
  deadLink: {
    offer: 'Podemos enviar un enlace nuevo a la dirección de correo electrónico de su cuenta.',
    button: 'Enviar un enlace nuevo',
  },
  invalidLink: {
    title: 'Este enlace no funciona',
    text: 'Puede que esté incompleto. Abra de nuevo el enlace del mensaje o solicite uno nuevo.',
    button: 'Solicitar un enlace nuevo',
  },
  problem: {
    too_many_requests: { title: 'Demasiados intentos', text: 'Espere {{duration}} y vuelva a intentarlo.' },
    unavailable: {
      title: 'Vuelva a intentarlo en un momento',
      text: 'Tenemos un problema técnico. Los enlaces que ya haya recibido siguen siendo válidos.',
    },
    internal_error: {
      title: 'Se ha producido un error',
      text: 'El problema es nuestro. Vuelva a intentarlo dentro de unos minutos.',
    },
    not_found: { title: 'Página no encontrada', text: 'No hay ninguna página en esta dirección.' },
    cross_site: {
      title: 'Este formulario procede de otro sitio web',
      text: 'Para proteger su cuenta, no se ha hecho nada. Puede volver a empezar aquí.',
    },
    unreadable_form: {
      title: 'No ha funcionado',
      text: 'No se han podido leer los datos que envió su navegador. Vuelva a intentarlo.',
    },
  },
};
