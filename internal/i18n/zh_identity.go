package i18n

// chineseIdentity is the part of the table for sending from an account: the
// configuration, its secrets, signature, fallback and copies.
var chineseIdentity = map[string]string{
	// Flags.
	"Account:": "账号：",
	"send from this account (default: the account of the sender's address, else the default account)": "用此账号发送（默认：发件人地址所属的账号，否则为默认账号）",
	"omit the account's signature":                             "不加账号的签名",
	"do not use the fallback account":                          "不使用备用账号",
	"%s can't be used with %s: the account has its own server": "%s 与 %s 不能同时使用：账号已含服务器",

	// The configuration.
	"the configuration can't be found: none of YAN_CONFIG, XDG_CONFIG_HOME and HOME is set": "找不到配置文件的位置：YAN_CONFIG、XDG_CONFIG_HOME 和 HOME 都未设置",
	"%s: another program changed it at the same time; nothing was written":                  "%s：同时被其他程序修改；没有写入任何内容",
	"Try again.":                             "请重试。",
	"%s: no permission":                      "%s：没有权限",
	"%s: can't be used: %v":                  "%s：无法使用：%v",
	"%s: unknown key %s":                     "%s：没有名为 %s 的配置项",
	"%s: not TOML: %v":                       "%s：不是有效的 TOML：%v",
	"%s: line %d is not TOML (%s)":           "%s：第 %d 行不是有效的 TOML（%s）",
	"%s: %s can't be used: %v":               "%s：%s 无法使用：%v",
	"'yan account list' lists the accounts.": "yan account list 列出所有账号。",
	"%s: this file was written by a newer yan; it was not changed":                              "%s：此文件由更新版本的 yan 写成，未作任何改动",
	"Update yan, or set YAN_CONFIG to another file.":                                            "请升级 yan，或用 YAN_CONFIG 指定另一个文件。",
	"%s: %s: secrets are not allowed in this file":                                              "%s：%s：密码或授权码不能写在此文件中",
	"Remove the line and run 'yan login', which stores the secret safely; or set its place: %s": "请删除这一行并运行 yan login，它会安全保存密码；或写明存放位置：%s",

	// The choice.
	"unknown account %q": "没有账号%q",
	"Choose one with -A, or set a default: yan account default %s":                           "请用 -A 选择，或设为默认：yan account default %s",
	"several accounts can send as %s: %s":                                                    "多个账号都可用于 %s：%s",
	"Choose one with -A, for example -A %s":                                                  "请用 -A 选择，例如 -A %s",
	"%s is from %s and %s from %s: they need different accounts; send them in separate runs": "%s 的发件人是 %s，%s 的是 %s：需要不同的账号，请分别发送",

	// Secrets.
	"account %s: the permission to send has expired": "账号 %s：授权已失效",
	"Log in again: %s": "请重新登录：%s",
	"Put only the authorization code or password there, on a single line.": "请只写授权码或密码，单独一行。",
	"Make it private: chmod 600 %s":                                        "请设为仅自己可读：chmod 600 %s",
	"account %s: %s failed (%s)":                                           "账号 %s：%s 执行失败（%s）",
	"reason unknown":                                                       "原因不明",
	"exit status %d":                                                       "退出码 %d",
	"account %s: the passphrase of %s is wrong":                            "账号 %s：%s 的口令不对",
	"Run the command on its own; the first line of its output must be the secret.":             "请单独运行该命令；输出的第一行应为密码或授权码。",
	"Set YAN_PASSPHRASE_FILE to a file with the passphrase, or store the secret elsewhere: %s": "请用 YAN_PASSPHRASE_FILE 指定存有口令的文件，或换个存放位置：%s",
	"the file %s":               "文件 %s",
	"the command %s":            "命令 %s",
	"the variable %s":           "环境变量 %s",
	"the systemd credential %s": "systemd 凭据 %s",
	"the netrc file %s":         "netrc 文件 %s",
	"the encrypted file %s":     "加密文件 %s",
	"the keyring":               "密钥环",

	"Or let yan store it: %s": "或让 yan 保存：%s",
	"Or let yan find it: %s":  "或让 yan 查找：%s",

	"account %s: no keyring is available, and without a terminal yan can't ask for the passphrase of the encrypted file": "账号 %s：没有可用的密钥环，又没有终端，无法询问加密文件的口令",
	"Unlock it (log in to the desktop, or open its password program), or store the secret elsewhere: %s":                 "请先解锁（登录桌面，或打开密码管理程序），或换个存放位置：%s",

	"account %s: no secret in %s": "账号 %s：没有密码或授权码（%s）",

	"account %s: the stored secret is from an earlier login and is not used": "账号 %s：保存的密码或授权码属于以前的登录，不予使用",
	"account %s: the stored secret is for %s and is not used for %s":         "账号 %s：保存的密码或授权码属于 %s，不用于 %s",
	"The stored secret of the former account %s could not be deleted: %s":    "以前的账号 %s 所保存的密码或授权码未能删除：%s",
	"from an earlier login, for another server or user":                      "属于以前的登录，服务器或用户名不同",

	"account %s: other users of this machine can read %s": "账号 %s：本机其他用户可以读取%s",

	"The new access token could not be saved: %v": "未能保存新的访问令牌：%v",

	"Or log in once, then send at any time: %s": "或先登录一次，以后随时发送：%s",

	// The outcome.
	"%s from account %s to %s": "%s，从账号 %s 发往 %s",
	"copy saved in %s":         "副本存于 %s",
	"available: %s":            "可用的有：%s",
	"The message was sent, but no copy was saved in the Sent folder: %s":                      "邮件已发出，但未能在已发送文件夹保存副本：%s",
	"The message was sent, but it is unknown whether a copy was saved in the Sent folder: %s": "邮件已发出，但无法确定已发送文件夹中是否保存了副本：%s",
	"Account %s: %s (at %s); using fallback account %s.":                                      "账号 %s：%s（%s 阶段）；改用备用账号 %s 发送。",
	"Fallback account %s is not used: it can't send as %s.":                                   "没有使用备用账号 %s：它不能以 %s 发信。",
	"Fallback account %s is not used: %v.":                                                    "没有使用备用账号 %s：%v。",
}
