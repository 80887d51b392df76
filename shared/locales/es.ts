// Spanish. Polite form: usted.
import type { Messages } from './messages';

export const es: Messages = {
  locale: 'es',
  dir: 'ltr',

  // Mails
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
    thanks: '¡Gracias por usar nuestro sitio!',
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
  mail: {
    expires: 'El enlace es válido hasta el {{expiresAt}}.',
    requestedFrom: 'La petición llegó desde {{requestedFrom}}.',
    notYou: 'Si no ha sido usted, escriba cuanto antes a {{contactEmail}}.',
    notYouNoContact: 'Si no ha sido usted, póngase en contacto cuanto antes con los responsables de {{domain}}.',
  },

  // Pages
  page: {
    errorTitle: 'Error: {{title}}',
    help: '¿Necesita ayuda?',
    logIn: 'Iniciar sesión',
    startAgain: 'Empezar de nuevo',
  },
  forgotPassword: {
    title: 'Restablecer la contraseña',
    intro:
      'Escriba la dirección de correo electrónico de su cuenta y le enviaremos un enlace para elegir una contraseña nueva.',
    email: 'Correo electrónico',
    button: 'Enviar el enlace',
    missing: 'Escriba su dirección de correo electrónico.',
    malformed: 'Esto no es una dirección de correo electrónico. Debe parecerse a nombre@example.com.',
  },
  checkInbox: {
    title: 'Revise su correo',
    text: 'Si existe una cuenta que corresponda, hemos enviado un mensaje con un enlace para elegir una contraseña nueva.',
    validity: 'El enlace es válido durante {{duration}}.',
    notArrived:
      '¿No ha llegado nada después de unos minutos? Mire en la carpeta de correo no deseado y compruebe que era la dirección de su cuenta.',
    again: 'Pedir otro mensaje',
  },
  newPassword: {
    title: 'Elija una contraseña nueva',
    username: 'Nombre de usuario',
    label: 'Contraseña nueva',
    labelAgain: 'Contraseña nueva otra vez',
    rule: 'Al menos {{count}} caracteres. Unas cuantas palabras seguidas son fáciles de recordar.',
    missing: { one: 'Falta {{count}} carácter', other: 'Faltan {{count}} caracteres' },
    longEnough: 'Longitud suficiente',
    show: 'Mostrar',
    showLabel: 'Mostrar la contraseña',
    hide: 'Ocultar',
    hideLabel: 'Ocultar la contraseña',
    button: 'Guardar la contraseña nueva',
    problems: {
      missing: 'Escriba una contraseña nueva.',
      mismatch: 'Las dos contraseñas no coinciden.',
      too_short: 'Esta contraseña es demasiado corta. Necesita al menos {{count}} caracteres.',
      too_long: 'Esta contraseña es demasiado larga. Puede tener hasta {{count}} caracteres.',
      malformed: 'Esta contraseña contiene un carácter ilegible. Escríbala de nuevo.',
      too_common: 'Demasiadas personas usan esta contraseña. Elija otra.',
      about_you:
        'Elija una contraseña que no sea su nombre de usuario, su correo electrónico ni el nombre de este sitio.',
      breached: 'Esta contraseña aparece en una filtración de datos conocida. Elija otra.',
    },
  },
  passwordSet: {
    title: 'Su contraseña ha cambiado',
    text: 'Ya puede iniciar sesión con su contraseña nueva. Le hemos enviado un mensaje de confirmación.',
  },
  expiredLink: {
    title: 'Este enlace ha caducado',
    text: 'Por su seguridad, un enlace para elegir una contraseña nueva solo es válido durante un tiempo breve.',
  },
  usedLink: {
    title: 'Este enlace ya no funciona',
    text: 'Ya se ha utilizado, o su cuenta ha cambiado desde que se envió.',
  },
  deadLink: {
    offer: 'Podemos enviar un enlace nuevo a la dirección de correo electrónico de su cuenta.',
    button: 'Enviar un enlace nuevo',
  },
  invalidLink: {
    title: 'Este enlace no funciona',
    text: 'Puede que esté incompleto. Abra de nuevo el enlace de su correo o pida uno nuevo.',
    button: 'Pedir un enlace nuevo',
  },
  problem: {
    too_many_requests: { title: 'Demasiados intentos', text: 'Espere {{duration}} y vuelva a intentarlo.' },
    unavailable: {
      title: 'Vuelva a intentarlo en un momento',
      text: 'Tenemos un problema técnico en este momento. No se pierde nada: un enlace que ya tenga sigue siendo válido.',
    },
    internal_error: {
      title: 'Algo ha fallado',
      text: 'El problema es nuestro. Vuelva a intentarlo dentro de unos minutos.',
    },
    not_found: { title: 'Página no encontrada', text: 'No hay nada en esta dirección.' },
    cross_site: {
      title: 'Este formulario venía de otro sitio web',
      text: 'Para proteger su cuenta, no se ha hecho nada. Puede empezar de nuevo aquí.',
    },
    unreadable_form: {
      title: 'No ha funcionado',
      text: 'No se ha podido leer lo que envió su navegador. Vuelva a intentarlo.',
    },
  },
};
