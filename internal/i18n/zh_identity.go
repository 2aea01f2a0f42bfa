package i18n

// chineseIdentity is the part of the table for sending from an account: the
// configuration, its secrets, signature, fallback and copies.
var chineseIdentity = map[string]string{
	// Flags.
	"Account:": "账号：",
	"send from this account (default: the one of the sender's address, else the default account)": "用此账号发送（默认：发件人地址所属的账号，否则为默认账号）",
	"leave the account's signature out":                    "不加账号的签名",
	"do not let another account take over":                 "不让其他账号接替发送",
	"%s and %s are both given; the account has its server": "%s 与 %s 不能同时使用：账号已含服务器",

	// The configuration.
	"the configuration can't be found: none of YAN_CONFIG, XDG_CONFIG_HOME and HOME is set": "找不到配置文件的位置：YAN_CONFIG、XDG_CONFIG_HOME 和 HOME 都未设置",
	"%s: another program changed it meanwhile; nothing was written":                         "%s：其间被其他程序修改过；没有写入任何内容",
	"Try again.":                                               "请重试。",
	"%s: no permission":                                        "%s：没有权限",
	"%s: can't be used: %v":                                    "%s：无法使用：%v",
	"%s: there is no key %s":                                   "%s：没有名为 %s 的配置项",
	"%s: this is not TOML: %v":                                 "%s：不是有效的 TOML：%v",
	"%s: line %d is not TOML (%s)":                             "%s：第 %d 行不是有效的 TOML（%s）",
	"%s: %s can't be used: %v":                                 "%s：%s 无法使用：%v",
	"'yan account list' shows the accounts.":                   "yan account list 列出所有账号。",
	"%s: this file is of a newer yan, and is left as it is":    "%s：此文件属于更新版本的 yan，未作任何改动",
	"Update this program, or name another file in YAN_CONFIG.": "请升级本程序，或用 YAN_CONFIG 指定另一个文件。",
	"%s: %s: a secret does not belong into this file":          "%s：%s：密码或授权码不应写在此文件中",
	"Take the line out and run 'yan login', which keeps it safely; or say where it is: %s": "请删除这一行并运行 yan login，它会安全保存；或写明存放位置：%s",

	// The choice.
	"there is no account %q": "没有账号%q",
	"Say which with -A, or once and for all: yan account default %s":                            "请用 -A 指定，或设为默认：yan account default %s",
	"several accounts serve %s: %s":                                                             "多个账号都可用于 %s：%s",
	"Say which with -A, for example -A %s":                                                      "请用 -A 指定，例如 -A %s",
	"%s is from %s and %s from %s: they need different accounts, so send them in separate runs": "%s 的发件人是 %s，%s 的是 %s：需要不同的账号，请分开发送",

	// Secrets.
	"account %s: the consent to send has ended":                        "账号 %s：授权已失效",
	"Log in again: %s":                                                 "请重新登录：%s",
	"Put the authorization code or password there, alone on its line.": "请只写授权码或密码，单独一行。",
	"Keep it to yourself: chmod 600 %s":                                "请改为仅自己可读：chmod 600 %s",
	"account %s: %s failed (%s)":                                       "账号 %s：%s 执行失败（%s）",
	"exit status %d":                                                   "退出码 %d",
	"account %s: the passphrase of %s is wrong":                        "账号 %s：%s 的口令不对",
	"Try the command by itself; its first line has to be the secret.":  "请单独运行该命令；输出的第一行应为密码或授权码。",
	"Name a file with the passphrase in YAN_PASSPHRASE_FILE, or keep the secret elsewhere: %s": "请用 YAN_PASSPHRASE_FILE 指定存有口令的文件，或换个存放位置：%s",
	"the file %s":               "文件 %s",
	"the command %s":            "命令 %s",
	"the variable %s":           "环境变量 %s",
	"the systemd credential %s": "systemd 凭据 %s",
	"the netrc file %s":         "netrc 文件 %s",
	"the encrypted file %s":     "加密文件 %s",
	"the keyring":               "密钥环",

	"Or have it kept: %s":        "或让它保存下来：%s",
	"Or let yan look for it: %s": "或让 yan 查找：%s",

	"account %s: there is no keyring that works, and nobody to ask for the passphrase of the encrypted file": "账号 %s：没有可用的密钥环，也无法询问加密文件的口令",
	"Unlock it (log in to the desktop, or open its password program), or keep the secret elsewhere: %s":      "请先解锁（登录桌面，或打开密码管理程序），或换个存放位置：%s",

	"account %s: no secret in %s": "账号 %s：没有密码或授权码（%s）",

	"account %s: what is kept for it is of an earlier login, and is not used": "账号 %s：所保存的密码或授权码属于以前的登录，不予使用",
	"account %s: what is kept for it is of %s, and is not used for %s":        "账号 %s：所保存的密码或授权码属于 %s，不用于 %s",
	"What was kept for the former account %s could not be forgotten: %s":      "以前的账号 %s 所保存的密码或授权码未能删除：%s",
	"of an earlier login, for another server or user":                         "属于以前的登录，服务器或用户名不同",

	"account %s: others on this machine can read %s": "账号 %s：本机其他用户可以读取%s",

	"The fresh access token could not be kept: %v": "未能保存新的访问令牌：%v",

	"Or log in once, and send from then on: %s": "或先登录一次，以后直接发送：%s",

	// The outcome.
	"%s from account %s to %s": "%s，从账号 %s 发往 %s",
	"copy in %s":               "副本存于 %s",
	"there are %s":             "现有 %s",
	"The message was sent, but no copy was saved in the Sent folder: %s":                   "邮件已发出，但未能在已发送文件夹保存副本：%s",
	"The message was sent; whether the copy in the Sent folder was saved is not known: %s": "邮件已发出；已发送文件夹中的副本是否保存不得而知：%s",
	"Account %s: %s (at %s); account %s takes over.":                                       "账号 %s：%s（%s 阶段）；改由账号 %s 发送。",
	"Account %s does not take over: it does not serve the sender %s.":                      "账号 %s 不接替：发件人 %s 不属于它。",
	"Account %s does not take over: %v.":                                                   "账号 %s 不接替：%v。",
}
