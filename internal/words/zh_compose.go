package words

// chineseCompose is the part of the table for what is said of a message that is
// composed: its fields, attachments, pictures and invitations.
var chineseCompose = map[string]string{
	// Header fields.
	"the message has a place of its own for it":                                         "邮件另有专门的位置设置它",
	"it would be transmitted; the message has a place of its own for Bcc, which is not": "这样写会被一并发送出去；密送人（Bcc）另有专门的位置，不会写进邮件",
	"it follows from the text, the HTML and the attachments":                            "它由正文、HTML 和附件决定",
	"it belongs to an attachment":                                                       "它属于附件",
	"its value is empty":                                                                "其值为空",
	"its value: %w":                                                                     "其值：%v",
	"holds %q; this field takes ASCII only":                                             "含有%q；此邮件头只能用 ASCII 字符",
	"holds %q, which is no message id like <1@example.com>":                             "含有%q，它不是 <1@example.com> 这样的邮件标识（Message-ID）",
	"holds %q: an angle bracket is missing":                                             "含有%q：缺少尖括号",
	"is empty":                                                                          "为空",
	"holds %q, which is no URI like mailto:a@example.com or https://example.com/":       "含有%q，它不是 mailto:a@example.com 或 https://example.com/ 这样的 URI",
	"has to be URIs in angle brackets, with commas between: <mailto:a@example.com>, <https://example.com/>": "应为尖括号括起、逗号分隔的 URI：<mailto:a@example.com>, <https://example.com/>",
	"holds no URI in angle brackets": "没有尖括号括起的 URI",
	"has to be the id of a list, like news.example.com, or a name with it: News <news.example.com>": "应为邮件列表的标识，如 news.example.com，也可加上名称：News <news.example.com>",

	// Attachments and pictures.
	"an inline attachment needs a name or a content id, which the HTML refers to": "内嵌附件需要文件名或 Content-ID，供 HTML 引用",
	"another inline attachment has the same name; give each a content id":         "另一个内嵌附件与它同名；请给它们各写一个 Content-ID",

	// Alternatives and invitations.
	"is no calendar: it does not begin with BEGIN:VCALENDAR":                         "不是日历文件：开头不是 BEGIN:VCALENDAR",
	"has no METHOD, which says what to do with it; an invitation has METHOD:REQUEST": "没有 METHOD，不知道要做什么；会议邀请应有 METHOD:REQUEST",
	"is not a text type; what is no text is an attachment":                           "不是文本类型；不是文本的内容应作为附件",
	"its text is not UTF-8":                            "其内容不是 UTF-8",
	"its charset has to be utf-8":                      "其字符集只能是 utf-8",
	"method=%s is not that of the calendar, METHOD:%s": "method=%s 与日历文件中的 METHOD:%s 不一致",
	"its parameter %s is too long, or not ASCII":       "参数 %s 太长，或不是 ASCII",
	"its parameters are too long":                      "参数太长",
}
