package words

// chineseWhole is the part of the table for whole messages (--raw): how they are
// found in files, read and made fit.
var chineseWhole = map[string]string{
	// What is left out, and mbox files that are ambiguous.
	"Whole messages (--raw):": "完整邮件（--raw）：",
	"\"From \" lines of an mbox file that do not look like its first: alike reads them as text, every starts a message at each (default: such a file is refused)": "mbox 文件中与首行样式不同的“From ”行：alike 视为正文，every 视为新邮件的开头（默认：拒绝这样的文件）",
	"also send messages that are marked as deleted or as drafts":                             "连同标记为已删除的邮件和草稿一起发送",
	"%s is for --raw: it says how whole messages are read":                                   "%s 只用于 --raw：它决定如何读取完整邮件",
	"%s: left out %d marked as deleted":                                                      "%s：跳过 %d 封标记为已删除的邮件",
	"%s: left out %d marked as drafts":                                                       "%s：跳过 %d 封草稿",
	"%s: left out %d that only holds data of a mail server":                                  "%s：跳过 %d 封仅供邮件服务器存放数据的邮件",
	"%s: no message is left to send":                                                         "%s：没有可发送的邮件",
	"To send them all the same, use %s.":                                                     "仍要发送请加 %s。",
	"%s: line %d may begin a message or be quoted in one: it does not look like line 1":      "%s：第 %d 行可能是新邮件的开头，也可能是正文中的引用：它与第 1 行的样式不同",
	"If it is text, use %s; if a message begins at every such line, use %s.":                 "若是正文，请加 %s；若每个这样的行都是新邮件的开头，请加 %s。",
	"%s: line %d looks like the beginning of a message, but no header field follows":         "%s：第 %d 行像是新邮件的开头，但其后没有邮件头字段",
	"If it is text, put a > before the From; if not, the header of that message is missing.": "若是正文，请在 From 前加 >；否则就是该邮件缺少邮件头。",

	// Errors of package message.
	"it is an mbox file with more than one message":               "这是含多封邮件的 mbox 文件",
	"%w, or may be one: %v":                                       "%w，或可能是：%v",
	"it is no mail: a mail server keeps data of the folder in it": "这不是邮件，只是邮件服务器存放的目录数据",
	"ends with CR CR LF; its line ends were converted twice":      "以 CR CR LF 结尾；换行符被转换了两次",
}
