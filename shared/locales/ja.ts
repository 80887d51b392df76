// Japanese. Polite form: です・ます. No line break inside a sentence: HTML would show it as a blank.
import type { Messages } from './messages';

export const ja: Messages = {
  locale: 'ja',
  dir: 'ltr',

  // Mails
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
    thanks: '当サイトをご利用いただきありがとうございます。',
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
  mail: {
    expires: 'リンクの有効期限は {{expiresAt}} です。',
    requestedFrom: '申し込み元：{{requestedFrom}}',
    notYou: 'お心当たりがない場合は、すぐに {{contactEmail}} までご連絡ください。',
    notYouNoContact: 'お心当たりがない場合は、すぐに {{domain}} の運営者までご連絡ください。',
  },

  // Pages
  page: { errorTitle: 'エラー：{{title}}', help: 'お困りですか？', logIn: 'ログイン', startAgain: '最初からやり直す' },
  forgotPassword: {
    title: 'パスワードの再設定',
    intro: 'アカウントのメールアドレスを入力してください。新しいパスワードを設定するためのリンクをお送りします。',
    email: 'メールアドレス',
    button: 'リンクを送信',
    missing: 'メールアドレスを入力してください。',
    malformed: 'メールアドレスの形式が正しくありません。name@example.com のように入力してください。',
  },
  checkInbox: {
    title: 'メールをご確認ください',
    text: '該当するアカウントがある場合は、新しいパスワードを設定するためのリンクをメールでお送りしました。',
    validity: 'リンクの有効期間は {{duration}}です。',
    notArrived:
      '数分たっても届かない場合は、迷惑メールフォルダーをご確認のうえ、アカウントのメールアドレスに間違いがないかお確かめください。',
    again: 'もう一度メールを送る',
  },
  newPassword: {
    title: '新しいパスワードの設定',
    username: 'ユーザー名',
    label: '新しいパスワード',
    labelAgain: '新しいパスワード（確認）',
    rule: '{{count}}文字以上。いくつかの単語を並べると覚えやすくなります。',
    missing: { other: 'あと{{count}}文字必要です' },
    longEnough: '十分な長さです',
    show: '表示',
    showLabel: 'パスワードを表示',
    hide: '隠す',
    hideLabel: 'パスワードを隠す',
    button: '新しいパスワードを保存',
    problems: {
      missing: '新しいパスワードを入力してください。',
      mismatch: '2つのパスワードが一致しません。',
      too_short: 'パスワードが短すぎます。{{count}}文字以上にしてください。',
      too_long: 'パスワードが長すぎます。{{count}}文字以内にしてください。',
      malformed: '読み取れない文字が含まれています。もう一度入力してください。',
      too_common: 'このパスワードは多くの人に使われています。別のパスワードを選んでください。',
      about_you: 'ユーザー名、メールアドレス、サイト名とは異なるパスワードを選んでください。',
      breached: 'このパスワードは過去の情報漏えいで見つかっています。別のパスワードを選んでください。',
    },
  },
  passwordSet: {
    title: 'パスワードを変更しました',
    text: '今後は新しいパスワードでログインできます。確認のメールをお送りしました。',
  },
  expiredLink: {
    title: 'リンクの有効期限が切れています',
    text: '安全のため、新しいパスワードを設定するためのリンクは短い間だけ有効です。',
  },
  usedLink: {
    title: 'このリンクは使えなくなりました',
    text: 'すでに使用されたか、送信後にアカウントの情報が変更されています。',
  },
  deadLink: { offer: 'アカウントのメールアドレスに、新しいリンクをお送りできます。', button: '新しいリンクを送信' },
  invalidLink: {
    title: 'このリンクは使えません',
    text: 'リンクが途中で切れている可能性があります。メールのリンクをもう一度開くか、新しいリンクを請求してください。',
    button: '新しいリンクを請求',
  },
  problem: {
    too_many_requests: { title: '試行回数が多すぎます', text: '{{duration}}ほど待ってから、もう一度お試しください。' },
    unavailable: {
      title: 'しばらくしてからお試しください',
      text: 'ただいま問題が発生しています。すでにお持ちのリンクは引き続きご利用いただけます。',
    },
    internal_error: { title: '問題が発生しました', text: '原因はこちら側にあります。数分後にもう一度お試しください。' },
    not_found: { title: 'ページが見つかりません', text: 'このアドレスには何もありません。' },
    cross_site: {
      title: '別のウェブサイトから送信されたフォームです',
      text: 'アカウントを保護するため、何も行いませんでした。こちらから最初からやり直せます。',
    },
    unreadable_form: {
      title: 'うまくいきませんでした',
      text: 'ブラウザーから送信された内容を読み取れませんでした。もう一度お試しください。',
    },
  },
};
