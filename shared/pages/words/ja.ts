// The Japanese words of the pages. Polite form: です・ます.
import type { PageWords } from './pageWords';

/** Japanese. */
export const ja: PageWords = {
  locale: 'ja',
  dir: 'ltr',
  shared: {
    errorTitle: 'エラー：{{title}}',
    help: 'お困りですか？',
    logIn: 'ログイン',
    startAgain: '最初からやり直す',
  },
  ask: {
    title: 'パスワードの再設定',
    intro: 'アカウントのメールアドレスを入力してください。新しいパスワードを設定するためのリンクをお送りします。',
    email: 'メールアドレス',
    button: 'リンクを送信',
    missing: 'メールアドレスを入力してください。',
    malformed: 'メールアドレスの形式が正しくありません。name@example.com のように入力してください。',
  },
  sent: {
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
  deadLink: {
    offer: 'アカウントのメールアドレスに、新しいリンクをお送りできます。',
    button: '新しいリンクを送信',
  },
  invalidLink: {
    title: 'このリンクは使えません',
    text: 'リンクが途中で切れている可能性があります。メールのリンクをもう一度開くか、新しいリンクを請求してください。',
    button: '新しいリンクを請求',
  },
  tooManyRequests: {
    title: '試行回数が多すぎます',
    text: '{{duration}}ほど待ってから、もう一度お試しください。',
  },
  unavailable: {
    title: 'しばらくしてからお試しください',
    text: 'ただいま問題が発生しています。すでにお持ちのリンクは引き続きご利用いただけます。',
  },
  internalError: {
    title: '問題が発生しました',
    text: '原因はこちら側にあります。数分後にもう一度お試しください。',
  },
  notFound: {
    title: 'ページが見つかりません',
    text: 'このアドレスには何もありません。',
  },
  crossSite: {
    title: '別のウェブサイトから送信されたフォームです',
    text: 'アカウントを保護するため、何も行いませんでした。こちらから最初からやり直せます。',
  },
  unreadableForm: {
    title: 'うまくいきませんでした',
    text: 'ブラウザーから送信された内容を読み取れませんでした。もう一度お試しください。',
  },
};
