// Japanese. Polite form: です・ます. No line break inside a sentence: HTML would show it as a blank.
import type { Messages } from './messages';

export const ja: Messages = {
  locale: 'ja',
  dir: 'ltr',

  // Mails
  passwordReset: {
    subject: '[{{siteName}}] パスワードの再設定',
    intro:
      'このメールは、{{domain}} のユーザーアカウントについて、ご本人または他の方からパスワードの再設定が申請されたためお送りしています。お心当たりがない場合は、このメールを無視していただいて問題ありません。パスワードを再設定するには、次のリンクをクリックしてください。',
    introMany:
      'このメールは、{{domain}} の複数のユーザーアカウントについて、ご本人または他の方からパスワードの再設定が申請されたためお送りしています。お心当たりがない場合は、このメールを無視していただいて問題ありません。再設定するアカウントのリンクをクリックしてください。',
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
    wayOut: 'ご自身ですぐにパスワードを再設定することもできます。',
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
    requestedFrom: '申請元：{{requestedFrom}}',
    notYou: 'お心当たりがない場合は、すぐに {{contactEmail}} までご連絡ください。',
    notYouNoContact: 'お心当たりがない場合は、すぐに {{domain}} の運営者までご連絡ください。',
    linkFallback: 'ボタンが機能しない場合は、次のアドレスをブラウザーにコピーしてください。',
    sentBy: 'このメールは {{siteName}}（{{domain}}）からお送りしています。',
    contact: 'ご不明な点は {{contactEmail}} までお問い合わせください。',
  },

  // Pages
  page: { errorTitle: 'エラー：{{title}}', help: 'お困りですか？', logIn: 'ログイン', startAgain: '最初からやり直す' },
  forgotPassword: {
    title: 'パスワードの再設定',
    intro: 'アカウントのメールアドレスを入力してください。新しいパスワードを設定するためのリンクをお送りします。',
    email: 'メールアドレス',
    button: 'リンクを送信',
    missing: 'メールアドレスを入力してください。',
    malformed: 'メールアドレスは name@example.com の形式で入力してください。',
  },
  checkInbox: {
    title: 'メールをご確認ください',
    text: 'アカウントが存在する場合は、新しいパスワードを設定するためのリンクを記載したメールがまもなく届きます。',
    textFor:
      '{{email}} のアカウントが存在する場合は、新しいパスワードを設定するためのリンクを記載したメールがまもなく届きます。',
    validity: 'リンクの有効期間は{{duration}}です。',
    notArrived:
      '数分たっても届かない場合は、迷惑メールフォルダーをご確認ください。また、アカウントのメールアドレスを正しく入力したかどうかもお確かめください。',
    again: 'メールを再送信',
    change: '別のアドレスを入力する',
  },
  newPassword: {
    title: '新しいパスワードの設定',
    username: 'ユーザー名',
    label: '新しいパスワード',
    labelAgain: '新しいパスワード（確認）',
    rule: '{{count}}文字以上。無関係な単語をいくつか並べると覚えやすくなります。',
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
      too_short: 'パスワードは{{count}}文字以上にしてください。',
      too_long: 'パスワードは{{count}}文字以内にしてください。',
      malformed: 'パスワードに無効な文字が含まれています。もう一度入力してください。',
      too_common: 'このパスワードはよく使われています。別のパスワードを選んでください。',
      about_you: 'ユーザー名、メールアドレス、サイト名をパスワードにすることはできません。',
      breached: 'このパスワードは過去の情報漏えいで流出しています。別のパスワードを選んでください。',
    },
  },
  passwordSet: {
    title: 'パスワードを変更しました',
    text: '新しいパスワードでログインできます。確認のメールをお送りします。',
  },
  expiredLink: { title: 'リンクの有効期限が切れています', text: '安全のため、リンクは短い時間だけ有効です。' },
  usedLink: {
    title: 'このリンクは無効になりました',
    text: 'すでに使用されたか、送信後にアカウントの情報が変更されています。',
  },
  deadLink: { offer: 'アカウントのメールアドレスに新しいリンクをお送りできます。', button: '新しいリンクを送信' },
  invalidLink: {
    title: 'このリンクは使用できません',
    text: 'リンクが途中で切れている可能性があります。メールのリンクをもう一度開くか、新しいリンクを請求してください。',
    button: '新しいリンクを請求',
  },
  problem: {
    too_many_requests: { title: '試行回数が多すぎます', text: '{{duration}}ほど待ってから、もう一度お試しください。' },
    unavailable: {
      title: 'しばらくしてからもう一度お試しください',
      text: 'ただいま問題が発生しています。すでに受け取ったリンクは引き続き有効です。',
    },
    internal_error: {
      title: '問題が発生しました',
      text: '原因は当サイト側にあります。数分後にもう一度お試しください。',
    },
    not_found: { title: 'ページが見つかりません', text: 'このアドレスにページはありません。' },
    cross_site: {
      title: '別のウェブサイトから送信されたフォームです',
      text: 'アカウントを保護するため、処理を行いませんでした。最初からやり直してください。',
    },
    unreadable_form: {
      title: '処理できませんでした',
      text: 'ブラウザーから送信されたデータを読み取れませんでした。もう一度お試しください。',
    },
  },
};
