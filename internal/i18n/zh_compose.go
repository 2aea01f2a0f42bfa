package i18n

// chineseCompose is the part of the table for composing messages: fields, attachments, pictures and
// invitations.
var chineseCompose = map[string]string{
	// Header fields.
	"the message has a dedicated field for it":                                                    "邮件另有专门的字段设置它",
	"it would be sent to everyone; use the message's Bcc field instead, which is not transmitted": "这样写会被一并发送出去；请改用邮件的 Bcc 字段，它不会写进邮件",
	"it is determined by the text, the HTML and the attachments":                                  "它由正文、HTML 和附件决定",
	"it belongs to an attachment":                                                                 "它属于附件",
	"its value is empty":                                                                          "其值为空",
	"its value: %w":                                                                               "其值：%v",
	"contains %q; this field allows ASCII only":                                                   "含有%q；此字段只能用 ASCII 字符",
	"contains %q, which is not a message ID like <1@example.com>":                                 "含有%q，它不是 <1@example.com> 这样的邮件标识（Message-ID）",
	"contains %q: an angle bracket is missing":                                                    "含有%q：缺少尖括号",
	"is empty": "为空",
	"contains %q, which is not a URI like mailto:a@example.com or https://example.com/":                   "含有%q，它不是 mailto:a@example.com 或 https://example.com/ 这样的 URI",
	"must be URIs in angle brackets, separated by commas: <mailto:a@example.com>, <https://example.com/>": "应为尖括号括起、逗号分隔的 URI：<mailto:a@example.com>, <https://example.com/>",
	"contains no URI in angle brackets": "没有尖括号括起的 URI",
	"must be the ID of a list, like news.example.com, or a name and an ID: News <news.example.com>": "应为邮件列表的标识，如 news.example.com，也可加上名称：News <news.example.com>",

	// Attachments and pictures.
	"an inline attachment needs a name or a content ID for the HTML to refer to":        "内嵌附件需要文件名或 Content-ID，供 HTML 引用",
	"another inline attachment has the same name; give each its own name or content ID": "另一个内嵌附件与它同名；请使用不同的名称或 Content-ID",

	// Alternatives and invitations.
	"is not a calendar: it does not start with BEGIN:VCALENDAR":                    "不是日历文件：开头不是 BEGIN:VCALENDAR",
	"has no METHOD, which says what it asks for; an invitation has METHOD:REQUEST": "没有 METHOD，无法得知其用途；会议邀请应有 METHOD:REQUEST",
	"is not a text type; use an attachment instead":                                "不是文本类型；请改用附件",
	"its text is not UTF-8":                            "其内容不是 UTF-8",
	"its charset must be utf-8":                        "其字符集只能是 utf-8",
	"method=%s differs from METHOD:%s in the calendar": "method=%s 与日历文件中的 METHOD:%s 不一致",
	"its parameter %s is too long, or not ASCII":       "参数 %s 太长，或不是 ASCII",
	"its parameters are too long":                      "参数太长",

	// The command: charsets.
	"charset of text from a file or standard input that is not UTF-8, such as gbk": "文件或标准输入中的正文不是 UTF-8 时的字符集，如 gbk",
	"%s was read as %s; use --charset if that is wrong.":                           "%s 已按 %s 读取；如有不对，请用 --charset 指定字符集。",
	"Name its charset: %s. Or save it as UTF-8, with \"Save as\" in an editor.":    "请指定它的字符集：%s；也可以在编辑器中用“另存为”改为 UTF-8。",
	"unknown charset %q; examples: gbk, big5, latin1, shift_jis, cp936":            "未知的字符集%q；例如 gbk、big5、latin1、shift_jis、cp936",
	"the text is not in %s": "正文的字符集不是 %s",

	// The command: parts and fields.
	"attach a file; repeatable; use FILE;name=NAME;type=TYPE to set its name and type":             "附件，可重复；写成 文件;name=名称;type=类型 可指定其名称和类型",
	"invitation: a calendar file (.ics) that recipients can answer in their mail program":          "会议邀请：日历文件（.ics），收件人可在邮件程序中答复",
	"address that submits the message, if it is not the author (Sender); also the envelope sender": "实际发送者（Sender），与作者不同时使用；也用作信封发件人",
	"the date of the message (default: now)":                                                       "邮件日期（默认：现在）",
	"the Message-ID (default: a random one)":                                                       "Message-ID（默认：随机生成）",
	"%s %q: want a time like 2026-12-01 09:30 or Tue, 01 Dec 2026 09:30:00 +0800":                  "%s %q：应为时间，如 2026-12-01 09:30 或 Tue, 01 Dec 2026 09:30:00 +0800",
	"To send it as a plain file: %s":                                                               "若只作为文件发送：%s",
	"The HTML refers to cid:%s, but no --inline provides it: recipients will see a gap.":           "HTML 引用了 cid:%s，但没有相应的 --inline：此处将显示为空白。",
	"The HTML does not show %s; add <img src=\"cid:%s\">.":                                         "HTML 没有显示 %s；请加上 <img src=\"cid:%s\">。",
	"The subject looks already encoded and recipients will see it encoded; give it as plain text.": "主题似乎已经编码过，收件人会看到编码后的样子；请直接写原文。",
}
