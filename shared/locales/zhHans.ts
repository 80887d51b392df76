// Simplified Chinese. Polite form: 您. No line break inside a sentence: HTML would show it as a blank.
import type { Messages } from './messages';

export const zhHans: Messages = {
  locale: 'zh-Hans',
  dir: 'ltr',

  // Mails
  passwordReset: {
    subject: '[{{siteName}}] 重置密码',
    intro:
      '您收到这封邮件，是因为您或其他人为您在 {{domain}} 的用户账户申请了重置密码。如果不是您本人申请的，可以放心忽略本邮件。请点击下面的链接重置密码。',
    introMany:
      '您收到这封邮件，是因为您或其他人为您在 {{domain}} 的多个用户账户申请了重置密码。如果不是您本人申请的，可以放心忽略本邮件。请点击下面对应账户的链接，重置该账户的密码。',
    accountHeading: '用户名 {{username}}：',
    button: '重置密码',
    buttonFor: '重置 {{username}} 的密码',
    usernameReminder: '如果您忘记了用户名：您的用户名是 {{username}}。',
    thanks: '感谢您使用我们的网站！',
  },
  passwordChanged: {
    subject: '[{{siteName}}] 密码已更改',
    changed: '您在 {{domain}} 的用户账户 {{username}} 的密码刚刚已被更改。',
    wasYou: '如果是您本人更改的，则无需再做任何操作。',
    wayOut: '您也可以立即自行重置密码：',
  },
  supportLinkIssued: {
    subject: '[{{siteName}}] 客服重置密码',
    issued: '应他人请求，{{domain}} 的客服团队为您的用户账户生成了一个重置密码的链接。',
    account: '用户名：{{username}}',
    noLinkHere: '本邮件不包含该链接：客服团队会自行转交。',
  },
  mail: {
    expires: '链接有效期至 {{expiresAt}}。',
    requestedFrom: '该请求来自 {{requestedFrom}}。',
    notYou: '如果不是您本人操作，请立即写信至 {{contactEmail}}。',
    notYouNoContact: '如果不是您本人操作，请立即联系 {{domain}} 的管理人员。',
    linkFallback: '如果按钮无法使用，请将此地址复制到浏览器中：',
    sentBy: '本邮件由 {{siteName}}（{{domain}}）发送。',
    contact: '如有疑问，请写信至 {{contactEmail}}。',
  },

  // Pages
  page: { errorTitle: '错误：{{title}}', help: '需要帮助？', logIn: '登录', startAgain: '重新开始' },
  forgotPassword: {
    title: '重置密码',
    intro: '请输入您账户的电子邮件地址，我们会向您发送用于设置新密码的链接。',
    email: '电子邮件地址',
    button: '发送链接',
    missing: '请输入您的电子邮件地址。',
    malformed: '请输入格式为 name@example.com 的电子邮件地址。',
  },
  checkInbox: {
    title: '请查收邮件',
    text: '如果该地址对应的账户存在，您很快会收到一封邮件，其中包含设置新密码的链接。',
    textFor: '如果 {{email}} 对应的账户存在，您很快会收到一封邮件，其中包含设置新密码的链接。',
    validity: '链接在{{duration}}内有效。',
    notArrived: '几分钟后仍未收到邮件？请检查垃圾邮件文件夹，并确认输入的是您账户的电子邮件地址。',
    again: '重新发送邮件',
    change: '地址有误？修改',
  },
  newPassword: {
    title: '设置新密码',
    username: '用户名',
    label: '新密码',
    labelAgain: '再次输入新密码',
    rule: '至少 {{count}} 个字符。由几个随机词语组成的密码容易记住。',
    missing: { other: '还需要 {{count}} 个字符' },
    longEnough: '长度足够',
    show: '显示',
    showLabel: '显示密码',
    hide: '隐藏',
    hideLabel: '隐藏密码',
    button: '保存新密码',
    problems: {
      missing: '请输入新密码。',
      mismatch: '两次输入的密码不一致。',
      too_short: '密码至少需要 {{count}} 个字符。',
      too_long: '密码最多可以有 {{count}} 个字符。',
      malformed: '密码中含有无效字符，请重新输入。',
      too_common: '这个密码太常见，请换一个。',
      about_you: '密码不能是您的用户名、电子邮件地址或本网站的名称。',
      breached: '这个密码曾在数据泄露事件中出现，请换一个。',
    },
  },
  passwordSet: { title: '密码已更改', text: '现在您可以使用新密码登录。我们会向您发送一封确认邮件。' },
  expiredLink: { title: '链接已过期', text: '为了您的安全，此类链接只在短时间内有效。' },
  usedLink: { title: '链接已失效', text: '该链接已被使用过，或者您的账户在链接发送后发生了变更。' },
  deadLink: { offer: '我们可以向您账户的电子邮件地址发送一个新链接。', button: '发送新链接' },
  invalidLink: {
    title: '链接无效',
    text: '链接可能不完整。请再次打开邮件中的链接，或申请新的链接。',
    button: '申请新链接',
  },
  problem: {
    too_many_requests: { title: '尝试次数过多', text: '请等待{{duration}}后再试。' },
    unavailable: { title: '请稍后再试', text: '我们这边暂时出现问题。您已收到的链接仍然有效。' },
    internal_error: { title: '出错了', text: '问题出在我们这边，请过几分钟再试。' },
    not_found: { title: '找不到页面', text: '此地址没有对应的页面。' },
    cross_site: { title: '此表单来自其他网站', text: '为保护您的账户，未执行任何操作。您可以在这里重新开始。' },
    unreadable_form: { title: '操作未成功', text: '无法读取您的浏览器发送的数据，请重试。' },
  },
};
