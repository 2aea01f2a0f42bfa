package i18n

// chineseGiven is the part of the table for a command's input: values, files and the questions before
// anything is sent.
var chineseGiven = map[string]string{
	// Files.
	"it is a folder": "这是目录",
	"%s: larger than %s, the limit for this file": "%s：超过 %s，这是此类文件的上限",
	"%s %s, line %d":                                                                "%s %s 第 %d 行",
	"%s %s: this file contains no address":                                          "%s %s：此文件中没有地址",
	"%s %q: not a valid address":                                                    "%s %q：不是有效的邮箱地址",
	"To read addresses from a file: %s":                                             "要从文件读取地址：%s",
	"%s: the text is %q; to send the contents of a file, write %s.":                 "%s：正文就是%q；要发送文件中的内容，请写 %s。",
	"use either %s or %s: the HTML can have only one source":                        "%s 和 %s 只能用一个：HTML 只能有一个来源",
	"read recipients from a file, one address per line; also --cc-file, --bcc-file": "从文件读取收件人，每行一个地址；另有 --cc-file、--bcc-file",
	"read carbon copy recipients from a file":                                       "从文件读取抄送人",
	"read blind copy recipients from a file":                                        "从文件读取密送人",
	"read the HTML from a file":                                                     "从文件读取 HTML",

	// Files that others can change.
	"%s: other users can change this log or its folder, and it decides which messages are not resent":             "%s：其他用户可以改动此日志或其所在的目录，而它决定哪些邮件不再发送",
	"Use a file and a folder that belong to you.":                                                                 "请使用属于您自己的文件和目录。",
	"%s: other users can write to it":                                                                             "%s：其他用户可以写入",
	"%s: other users can read it":                                                                                 "%s：其他用户可以读取",
	"%s: it belongs to another user":                                                                              "%s：属于另一个用户",
	"%v: the commands in %s are not run, and it is not used to send":                                              "%v：不会执行 %s 中的命令，也不会用它发信",
	"Check its contents, then make it private: %s":                                                                "请先查看其中的内容，再取消他人的写权限：%s",
	"Check its contents, then take ownership: %s":                                                                 "请先查看其中的内容，再改为归您所有：%s",
	"Check its contents, and import a copy of your own.":                                                          "请先查看其中的内容，再导入您自己的副本。",
	"%s: other users can change this file or its folder, and it may contain commands and servers: it is not used": "%s：其他用户可以改动此文件或其所在的目录，而其中可能写有命令和服务器：不予使用",

	// One refused recipient of several.
	"another recipient was not accepted, so nothing was sent; with --to-policy any the other recipients receive it":       "有收件人未被接受，因此没有发给任何人；加 --to-policy any 可发给其余收件人",
	"if a recipient is refused: all (default) sends to no one, any to the other recipients; the library's default is any": "有收件人被拒绝时：all（默认）不发给任何人，any 则发给其余收件人；库的默认值是 any",

	"print the licenses of all components of the program": "显示本程序所有组件的许可证",
	"Its dash is not the hyphen used for flags; type %s.": "其中的横线不是选项所用的半角连字符；请输入 %s。",
	"%q is not a flag": "%q不是选项",
	"%s: there are no accounts yet; run yan login to create one":  "%s：还没有账号，请运行 yan login 添加",
	"%s: there are %d accounts and none is the default: name one": "%s：有 %d 个账号，没有默认账号，请指明一个",

	// Manual pages.
	"SYNOPSIS":                     "用法",
	"FILES":                        "文件",
	"SEE ALSO":                     "另见",
	"the accounts; see YAN_CONFIG": "账号；参见 YAN_CONFIG",
	"their secrets, encrypted, on a machine without a keyring": "账号的密码，加密保存，用于没有密钥环的机器",
	"the outbox; see --outbox":                                 "发件箱；参见 --outbox",

	// Probable mistakes.
	"the message has neither subject nor text; nothing was sent":                               "邮件既没有主题也没有正文；没有发送",
	"The message has neither subject nor text. Send it anyway?":                                "邮件既没有主题也没有正文。仍要发送吗？",
	"Set a subject with -s or a text with -b; to send an empty message, set an empty text: %s": "请用 -s 写主题，或用 -b 写正文；确实要发空邮件，请写明正文为空：%s",
	"nothing was sent":            "没有发送",
	"no answer; nothing was sent": "没有得到回答；没有发送",
	"%s: did you mean %s?":        "%s：您要找的是 %s 吗？",

	"Send a message and report the outcome for each recipient.\n\nAn account, created with 'yan login', logs in with its own secret. Without an account, the password or authorization code is read from the file set by YAN_PASSWORD_FILE, or asked for on the terminal; it is never a flag.\n\nPiped input is the text. Values are sent literally, even @name and -; use --body-file, --html-file and --to-file for files, where - means standard input.\n\nWith --raw each argument is a message, an mbox file, a Maildir, or a folder of .eml files. All messages are checked before the first is sent, and are sent as fast as the server accepts them. With --log, running the same command again resumes an interrupted run: nothing is sent twice.": "发送一封邮件，并报告每个收件人的结果。\n\n账号（用 yan login 添加）使用它自己的密码或授权码登录；没有账号时，从 YAN_PASSWORD_FILE 指定的文件读取，或在终端询问，绝不作为选项。\n\n管道输入就是正文。选项的值按原样发送，@ 开头的词和 - 也不例外；文件用 --body-file、--html-file、--to-file 指定，其中 - 表示标准输入。\n\n用 --raw 时，每个参数是一封邮件、一个 mbox 文件、一个 Maildir，或一个存有 .eml 文件的目录。先检查全部邮件，再发出第一封，之后以服务器所能接受的最快速度发送。加上 --log，中断之后用同一条命令即可继续：不会重复发送。",
}
