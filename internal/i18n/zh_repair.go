package i18n

// chineseRepair is the part of the table for faults of accounts and their secrets, and their repair.
var chineseRepair = map[string]string{
	// The encrypted file.
	"start a new encrypted file and set the old one aside":                                    "重新建立加密文件，旧的移到一边",
	"The encrypted file %s is damaged. Set it aside and start a new one?":                     "加密文件 %s 已损坏。要把它移到一边、重新建立一个吗？",
	"It is unknown which accounts have their secret in it; those accounts must log in again.": "其中存有哪些账号的密码已无法得知；密码存在其中的账号都需要重新登录。",
	"These accounts lose the secret in it and must log in again: %s":                          "以下账号存在其中的密码将不可用，需要重新登录：%s",
	"The old encrypted file is now %s.":                                                       "原来的加密文件现名为 %s。",
	"Wrong passphrase.":                                                                       "口令不对。",
	"Restore it from a copy, or start a new one and set the damaged one aside: %s":            "请用备份恢复，或重新建立一个（损坏的会移到一边）：%s",
	"If you forgot it, start a new file and set the old one aside: %s":                        "忘了口令可以重新建立一个（旧的会移到一边）：%s",
	"Free disk space, or make %s writable for you.":                                           "请清理磁盘空间，或确保您可以写入 %s。",
	"can't be written (%v)":                                                                   "无法写入（%v）",
	"can't be written":                                                                        "无法写入",
	"it is not a regular file":                                                                "不是普通文件",

	// Invalid and removed accounts.
	"Fix it: %s; or remove the account: %s": "改正：%s；或删除该账号：%s",
	"Fix it: %s":                            "改正：%s",
	"To remove the account anyway and keep its stored secret: %s":        "仍要删除账号、保留为它保存的内容，请用 %s",
	"Set YAN_PASSPHRASE_FILE to a file with the passphrase.":             "请用 YAN_PASSPHRASE_FILE 指定存有口令的文件。",
	"nothing was changed, because the secret of %s can't be deleted: %s": "没有任何改动，因为 %s 的密码无法删除：%s",
	"Its secret is still in %s.":                                         "它的密码仍在 %s 中。",
	"the account was removed, but its secret is still in %s":             "账号已删除，但它的密码仍在 %s 中",
	"Delete this file.":           "请删除此文件。",
	"Deleted %s with its secret.": "存有它的密码的 %s 已删除。",

	// Logins and imports.
	"unknown account %q, and no mailbox at %s is given":     "没有账号%q，也没有说明是 %s 的哪个邮箱",
	"Account %s saved but not tested; its secret is in %s.": "账号 %s 已保存，未经试用；密码或授权码存放于%s。",
	"the secret: %s": "密码：%s",
	"The secret comes from %s. If it is wrong, change it there, or set another place: %s": "密码或授权码来自%s。如果不对，请在那里修改，或指定别处：%s",
	"the editor %q needs a terminal":                                                  "编辑器%q需要终端",
	"Use %s to change single keys, or set VISUAL to an editor with its own window.":   "可用 %s 修改单个配置项，或用 VISUAL 指定自带窗口的编辑器。",
	"Replace the account %s (%s)?":                                                    "替换账号 %s（%s）吗？",
	"Unchanged, because accounts with these names exist (use %s to replace them): %s": "以下账号已存在，未改动（%s 可替换）：%s",
	"Set it with %s.": "请用 %s 指定。",
	"a login name must not contain spaces, line breaks or control characters":                    "登录名不能含有空格、换行或控制字符",
	"interrupted at a question (login, account)":                                                 "在 yan 询问时被中断（login、account）",
	"Account %s has no stored secret. The one you enter is used only this time; '%s' stores it.": "没有（或不再有）为账号 %s 保存的密码。现在输入的只用这一次；%s 可将其保存。",
}
