// The Spanish words of the pages. Polite form: usted.
import type { PageWords } from './pageWords';

/** Spanish. */
export const es: PageWords = {
  locale: 'es',
  dir: 'ltr',
  shared: {
    errorTitle: 'Error: {{title}}',
    help: '¿Necesita ayuda?',
    logIn: 'Iniciar sesión',
    startAgain: 'Empezar de nuevo',
  },
  ask: {
    title: 'Restablecer la contraseña',
    intro:
      'Escriba la dirección de correo electrónico de su cuenta y le enviaremos un enlace para elegir una contraseña nueva.',
    email: 'Correo electrónico',
    button: 'Enviar el enlace',
    missing: 'Escriba su dirección de correo electrónico.',
    malformed: 'Esto no es una dirección de correo electrónico. Debe parecerse a nombre@example.com.',
  },
  sent: {
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
  tooManyRequests: {
    title: 'Demasiados intentos',
    text: 'Espere {{duration}} y vuelva a intentarlo.',
  },
  unavailable: {
    title: 'Vuelva a intentarlo en un momento',
    text: 'Tenemos un problema técnico en este momento. No se pierde nada: un enlace que ya tenga sigue siendo válido.',
  },
  internalError: {
    title: 'Algo ha fallado',
    text: 'El problema es nuestro. Vuelva a intentarlo dentro de unos minutos.',
  },
  notFound: {
    title: 'Página no encontrada',
    text: 'No hay nada en esta dirección.',
  },
  crossSite: {
    title: 'Este formulario venía de otro sitio web',
    text: 'Para proteger su cuenta, no se ha hecho nada. Puede empezar de nuevo aquí.',
  },
  unreadableForm: {
    title: 'No ha funcionado',
    text: 'No se ha podido leer lo que envió su navegador. Vuelva a intentarlo.',
  },
};
