package i18n

// chineseGiven is the part of the table for a command's input: values, files and the questions before
// anything is sent.
var chineseGiven = map[string]string{
	// Files.
	"it is a folder": "这是目录",
	"%s: holds more than %s, the most that is read here": "%s：超过 %s，这里最多只读这么多",
	"%s %s, line %d":                                                                   "%s %s 第 %d 行",
	"%s %s: this file holds no address":                                                "%s %s：此文件中没有地址",
	"%s %q: not an address":                                                            "%s %q：不是邮箱地址",
	"To read addresses from a file: %s":                                                "要从文件读取地址：%s",
	"%s: the text is %q; to send what is in a file, write %s.":                         "%s：正文就是 %q；要发送文件中的内容，请写 %s。",
	"%s and %s are both given; the HTML can come from one only":                        "同时给出了 %s 和 %s；HTML 只能来自其中一个",
	"read recipients from a file, an address on each line; also --cc-file, --bcc-file": "从文件读取收件人，每行一个地址；另有 --cc-file、--bcc-file",
	"read recipients of a copy from a file":                                            "从文件读取抄送人",
	"read recipients whom the others do not see from a file":                           "从文件读取密送人",
	"read the HTML from a file":                                                        "从文件读取 HTML",

	// Files that others can change.
	"%s: other users can change this log or its folder, and it decides what is not sent again":                 "%s：其他用户可以改动此日志或其所在的文件夹，而它决定哪些邮件不再发送",
	"Name a file of your own in a folder of your own.":                                                         "请指定您自己文件夹中您自己的文件。",
	"%s: other users can write to it":                                                                          "%s：其他用户可以写入",
	"%s: other users can read it":                                                                              "%s：其他用户可以读取",
	"%s: it belongs to another user":                                                                           "%s：属于另一个用户",
	"%v: the commands in %s are not run, and nothing is sent by it":                                            "%v：不会执行 %s 中的命令，也不会按它发信",
	"Look at what it holds, then keep it to yourself: %s":                                                      "请先查看其中的内容，再取消他人的写权限：%s",
	"Look at what it holds, then make it yours: %s":                                                            "请先查看其中的内容，再改为归您所有：%s",
	"Look at what it holds, and import a copy of your own.":                                                    "请先查看其中的内容，再导入您自己的副本。",
	"%s: other users can change this file or its folder, and it may name commands and servers: it is not used": "%s：其他用户可以改动此文件或其所在的文件夹，而其中可能写有命令和服务器：不予使用",

	// One refused recipient of several.
	"another recipient was not accepted, so nothing was sent; with --to-policy any the others get it":       "另一个收件人未被接受，因此没有发给任何人；加 --to-policy any 可发给其余收件人",
	"one recipient refused: all (default) sends to nobody, any to the others; the library's default is any": "有收件人被拒绝时：all（默认）则都不发送，any 则发给其余收件人；库的默认值是 any",

	"print the licenses of all components of the program": "显示本程序所有组件的许可证",
	"The dash in it is not the one of flags; type %s.":    "其中的横线不是选项所用的半角连字符；请输入 %s。",
	"%q is not a flag": "%q 不是选项",
	"%s: no account is set up yet: yan login makes one":    "%s：还没有账号，请用 yan login 添加",
	"%s: none of the %d accounts is the default: name one": "%s：%d 个账号中没有默认账号，请指明一个",

	// Manual pages.
	"SYNOPSIS":                     "用法",
	"FILES":                        "文件",
	"SEE ALSO":                     "另见",
	"the accounts; see YAN_CONFIG": "账号；参见 YAN_CONFIG",
	"their secrets, encrypted, on a machine without a keyring": "账号的密码，加密保存，用于没有密钥环的机器",
	"the outbox; see --outbox":                                 "发件箱；参见 --outbox",

	// Probable mistakes.
	"the message has neither subject nor text; nothing was sent":                                 "邮件既没有主题也没有正文；没有发送",
	"The message has neither subject nor text. Send it all the same?":                            "邮件既没有主题也没有正文。仍要发送吗？",
	"Give a subject with -s or a text with -b; to send an empty message, give an empty text: %s": "请用 -s 写主题，或用 -b 写正文；确实要发空邮件，请写明正文为空：%s",
	"nothing was sent":                      "没有发送",
	"there was no answer; nothing was sent": "没有得到回答；没有发送",
	"%s: is %s meant?":                      "%s：您要找的是 %s 吗？",

	"Send a message and say, for each recipient, what became of it.\n\nAn account, which 'yan login' makes, logs in with its own secret. Without one the password or authorization code is read from the file that YAN_PASSWORD_FILE names, or asked for on the terminal; it is never a flag.\n\nPiped input is the text. Values are sent as they are, even @name and -; files are named with --body-file, --html-file and --to-file, where - means standard input.\n\nWith --raw each argument is a message, an mbox file, a Maildir, or a folder of .eml files. All messages are checked before the first is sent, and go out as fast as the server takes them. With --log a run that ended half-way is resumed by the same command: nothing is sent twice.": "发送一封邮件，并逐个收件人说明结果。\n\n账号（用 yan login 添加）使用它自己的密码或授权码登录；没有账号时，从 YAN_PASSWORD_FILE 所指的文件读取，或在终端询问，绝不作为选项。\n\n管道输入就是正文。选项的值按原样发送，@ 开头的词和 - 也不例外；文件用 --body-file、--html-file、--to-file 指定，其中 - 表示标准输入。\n\n用 --raw 时，每个参数是一封邮件、一个 mbox 文件、一个 Maildir，或一个存有 .eml 文件的目录。先检查全部邮件，再发出第一封，之后以服务器所能接受的最快速度发送。加上 --log，中断之后用同一条命令即可继续：不会重复发送。",
}
