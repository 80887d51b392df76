// The Japanese words of the mails. Polite form: です・ます. No line breaks inside a sentence: the HTML part would show them as blanks.
import type { MailWords } from './mailWords';

/** Japanese. */
export const ja: MailWords = {
  locale: 'ja',
  dir: 'ltr',
  passwordReset: {
    subject: '[{{siteName}}] パスワードの再設定',
    intro:
      'このメールは、{{domain}} のあなたのユーザーアカウントについて、ご本人または他の方からパスワードの再設定が申し込まれたためお送りしています。お心当たりがない場合は、このメールを無視していただいて問題ありません。パスワードを再設定するには、次のリンクをクリックしてください。',
    introMany:
      'このメールは、{{domain}} のあなたの複数のユーザーアカウントについて、ご本人または他の方からパスワードの再設定が申し込まれたためお送りしています。お心当たりがない場合は、このメールを無視していただいて問題ありません。再設定するアカウントのリンクをクリックしてください。',
    accountHeading: 'ユーザー名 {{username}}：',
    button: 'パスワードを再設定',
    buttonFor: '{{username}} のパスワードを再設定',
    usernameReminder: 'なお、あなたのユーザー名は {{username}} です。',
  },
  passwordChanged: {
    subject: '[{{siteName}}] パスワードが変更されました',
    changed: '{{domain}} のユーザーアカウント {{username}} のパスワードが変更されました。',
    wasYou: 'ご本人が変更された場合は、何もする必要はありません。',
  },
  supportLinkIssued: {
    subject: '[{{siteName}}] サポートによるパスワードの再設定',
    issued:
      '{{domain}} のサポートチームが、依頼を受けて、あなたのユーザーアカウントのパスワードを再設定するためのリンクを発行しました。',
    account: 'ユーザー名：{{username}}',
    noLinkHere: 'このメールにリンクは含まれていません。サポートチームが直接お渡しします。',
  },
  shared: {
    expires: 'リンクの有効期限は {{expiresAt}} です。',
    requestedFrom: '申し込み元：{{requestedFrom}}',
    notYou: 'お心当たりがない場合は、すぐに {{contactEmail}} までご連絡ください。',
    notYouNoContact: 'お心当たりがない場合は、すぐに {{domain}} の運営者までご連絡ください。',
    thanks: '当サイトをご利用いただきありがとうございます。',
  },
};
