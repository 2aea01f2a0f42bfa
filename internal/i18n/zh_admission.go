package i18n

// chineseAdmission is the part of the table for messages of programs: what is refused, and why.
var chineseAdmission = map[string]string{
	// Senders, recipients and limits.
	"%s may not send as %q":                        "%s 不能以 %q 的名义发信",
	"it may send as %s":                            "可用的发件人：%s",
	"account %q has no sender address":             "账号 %q 没有发件地址",
	"add from to the account in the configuration": "请在配置中为该账号加上 from",
	"%q has letters other than ASCII before the @, which the provider of account %q does not take": "%q 的 @ 之前有非 ASCII 字符，账号 %q 的服务商不支持",
	"use another address of this person, or an account whose provider supports SMTPUTF8":           "请改用此人的其他地址，或改用服务商支持 SMTPUTF8 的账号",
	"a message of %s may have at most %d recipients":                                               "%s 的一封邮件最多可有 %d 个收件人",
	"send the rest in another message":                                                             "其余收件人请另发一封",
	"%q stands for %d recipients; a message of %s may have at most %d":                             "%q 代表 %d 个收件人；%s 的一封邮件最多可有 %d 个",
	"the message has more recipients than %s may send to in an hour, %d":                           "邮件的收件人数超过 %s 每小时可发的 %d 个",
	"raise per_hour, or divide the message":                                                        "请调高 per_hour，或分成几封发送",
	"%s hands over too many large messages at once":                                                "%s 同时提交的大邮件过多",
	"try again later":                      "请稍后再试",
	"%s may send to %d recipients an hour": "%s 每小时最多可发给 %d 个收件人",
	"try again in %d min":                  "请在 %d 分钟后重试",
	"the message has no recipients":        "邮件没有收件人",

	// The message.
	"the message is larger than %d octets":                                                                             "邮件超过 %d 字节",
	"send a link in place of the attachment, or several messages":                                                      "请用链接代替附件，或分几封发送",
	"the header has letters other than ASCII that can't be encoded, and the provider of account %q does not take them": "邮件头中有无法编码的非 ASCII 字符，账号 %q 的服务商不支持",
	"use addresses with ASCII letters before the @":                                                                    "请使用 @ 之前只有 ASCII 字符的地址",
	"Yan-Key must be 1 to %d octets of text without control characters":                                                "Yan-Key 应为 1 到 %d 字节的文本，不含控制字符",
	"the header has more than %d octets":                                                                               "邮件头超过 %d 字节",
	"the header has more than %d lines":                                                                                "邮件头超过 %d 行",
	"the header field %s has a line of more than %d octets and can't be changed, because the message is signed (DKIM)": "邮件头字段 %s 有一行超过 %d 字节；邮件带有签名（DKIM），不能改动",
	"the message can't be stored now; try again later":                                                                 "现在无法保存邮件，请稍后重试",
	"it is larger than allowed":                                                                                        "超过允许的大小",
	"%w; examples: a@example.com, *@example.com, *":                                                                    "%v；示例：a@example.com、*@example.com、*",

	// Names without a domain.
	"no such local name": "没有这个本地名称",
	"its line in the aliases file has no address that can be used": "别名文件中的这一行没有可用的地址",
	"it names a command, and mail runs no commands here":           "这是一条命令；这里收到邮件时不会执行命令",
	"it names a file, and mail is written to no files here":        "这是一个文件；邮件不会写入文件",
	"lists in other files (:include:) are not read":                "不会读取其他文件中的列表（:include:）",
	"want NAME: ADDRESS, ADDRESS…":                                 "格式应为“名称: 地址, 地址…”",
	"the entry has more than %d octets":                            "这一条超过 %d 字节",
	"the name has an earlier line, which is used":                  "前面已有同名的一行，以前面的为准",
}
