// The Simplified Chinese words of the mails. Polite form: 您. No line breaks inside a sentence: the HTML part would show them as blanks.
import type { MailWords } from './mailWords';

/** Simplified Chinese. */
export const zhHans: MailWords = {
  locale: 'zh-Hans',
  dir: 'ltr',
  passwordReset: {
    subject: '[{{siteName}}] 重置密码',
    intro:
      '您收到这封邮件，是因为您或其他人为您在 {{domain}} 的用户账户申请了密码。如果您没有申请重置密码，可以放心忽略本邮件。请点击下面的链接重置您的密码。',
    introMany:
      '您收到这封邮件，是因为您或其他人为您在 {{domain}} 的多个用户账户申请了密码。如果您没有申请重置密码，可以放心忽略本邮件。请点击下面对应账户的链接，重置该账户的密码。',
    accountHeading: '用户名 {{username}}：',
    button: '重置密码',
    buttonFor: '重置 {{username}} 的密码',
    usernameReminder: '如果您忘记了用户名：您的用户名是 {{username}}。',
  },
  passwordChanged: {
    subject: '[{{siteName}}] 密码已更改',
    changed: '您在 {{domain}} 的用户账户 {{username}} 的密码刚刚已被更改。',
    wasYou: '如果是您本人更改的，则无需再做任何操作。',
  },
  supportLinkIssued: {
    subject: '[{{siteName}}] 客服重置密码',
    issued: '应他人请求，{{domain}} 的客服团队为您的用户账户签发了一个重置密码的链接。',
    account: '用户名：{{username}}',
    noLinkHere: '本邮件不包含该链接：客服团队会自行转交。',
  },
  shared: {
    expires: '链接有效期至 {{expiresAt}}。',
    requestedFrom: '该请求来自 {{requestedFrom}}。',
    notYou: '如果不是您本人操作，请立即写信至 {{contactEmail}}。',
    notYouNoContact: '如果不是您本人操作，请立即联系 {{domain}} 的管理人员。',
    thanks: '感谢您使用我们的网站！',
  },
};
