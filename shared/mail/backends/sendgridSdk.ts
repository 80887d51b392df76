// What the app uses of SendGrid's libraries, as one module: the bundler makes a file of its own of it, loaded with the first mail.
export { Client } from '@sendgrid/client';
export { MailService } from '@sendgrid/mail';
export { EnvHttpProxyAgent } from 'undici';
