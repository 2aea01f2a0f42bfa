package i18n

// chineseWhole is the part of the table for whole messages (--raw): finding, reading and fitting
// them.
var chineseWhole = map[string]string{
	// Skipped messages and ambiguous mbox files.
	"Whole messages (--raw):": "完整邮件（--raw）：",
	"\"From \" lines in an mbox file that do not look like its first: alike treats them as text, every starts a message at each (default: refuse the file)": "mbox 文件中与首行样式不同的“From ”行：alike 视为正文，every 视为新邮件的开头（默认：拒绝这样的文件）",
	"also send messages marked as deleted or as drafts":                                      "连同标记为已删除的邮件和草稿一起发送",
	"%s is only for --raw: it controls how existing messages are read":                       "%s 只用于 --raw：它决定如何读取完整邮件",
	"%s: skipped %d marked as deleted":                                                       "%s：跳过 %d 封标记为已删除的邮件",
	"%s: skipped %d marked as drafts":                                                        "%s：跳过 %d 封草稿",
	"%s: skipped %d with internal data of a mail server":                                     "%s：跳过 %d 封仅供邮件服务器存放数据的邮件",
	"%s: no messages to send":                                                                "%s：没有可发送的邮件",
	"Use %s to send them anyway.":                                                            "仍要发送请加 %s。",
	"%s: line %d may start a message or quote one: it does not look like line 1":             "%s：第 %d 行可能是新邮件的开头，也可能是正文中的引用：它与第 1 行的样式不同",
	"If it is text, use %s; if each such line starts a message, use %s.":                     "若是正文，请加 %s；若每个这样的行都是新邮件的开头，请加 %s。",
	"%s: line %d looks like the start of a message, but no header field follows":             "%s：第 %d 行像是新邮件的开头，但其后没有邮件头字段",
	"If it is text, put a > before the From; if not, the header of that message is missing.": "若是正文，请在 From 前加 >；否则就是该邮件缺少邮件头。",

	// Errors of package message.
	"it is an mbox file with more than one message":                      "这是含多封邮件的 mbox 文件",
	"%w, or may be one: %v":                                              "%v，或可能是：%v",
	"it is not a message: a mail server stores data of the folder in it": "这不是邮件，只是邮件服务器存放的目录数据",
	"ends with CR CR LF; its line ends were converted twice":             "以 CR CR LF 结尾；换行符被转换了两次",

	// Envelopes.
	"--raw %s: can't read the sender or the recipients from its header: %s; %s":     "--raw %s：从邮件头中读不出发件人和收件人：%s；%s",
	"--raw %s: can't read the sender from its header: %s":                           "--raw %s：从邮件头中读不出发件人：%s",
	"--raw %s: can't read the recipients from its header: %s":                       "--raw %s：从邮件头中读不出收件人：%s",
	"the message was resent, but its first block of Resent fields has no sender":    "这是重新投寄的邮件，但其第一组 Resent 字段中没有发件人",
	"the message was resent, but its first block of Resent fields has no recipient": "这是重新投寄的邮件，但其第一组 Resent 字段中没有收件人",
	"a square bracket [ is not closed":                                              "方括号 [ 没有闭合",
	"is not of the form name@domain":                                                "不是“名称@域名”的形式",

	// Addresses.
	"contains an invisible character, %v (%U); type the address again": "含有看不见的字符：%v（%U）；请重新输入地址",
	"contains the full-width %c; type the half-width %c":               "含有全角的 %c；请用半角的 %c",
	"%q is not allowed in a domain name":                               "域名中不能有%q",
	"a soft hyphen":                                                    "软连字符",
	"a zero width space":                                               "零宽空格",
	"a zero width non-joiner":                                          "零宽不连字",
	"contains the special space %U; remove it":                         "含有特殊空格（%U），请删除",
	"%s %q: write the address without mailto:":                         "%s %q：请去掉 mailto:，只写地址",
	"a zero width joiner":                                              "零宽连接符",
	"a mark for the direction of text":                                 "文字方向标记",
	"a byte order mark or word joiner":                                 "字节顺序标记或零宽不换行空格",
	"a variation selector":                                             "异体字选择符",
	"a format character":                                               "格式控制符",
	"address %q: no @; the %c before it separates two addresses":       "地址%q：缺少 @；它前面的“%c”会把两个地址分开",
	"address %q: no @; if the %c is part of a name, put the name in quotes: \"A%c B\" <a@example.org>": "地址%q：缺少 @；若“%c”是姓名的一部分，请给姓名加引号：\"甲%c乙\" <a@example.org>",
	"%q: has a space before the @, which no mailbox has":                                               "%q：@ 前有空格，没有这样的邮箱",
	"%s: removed invisible characters around an address":                                               "%s：已去掉地址两端看不见的字符",
	"%s: %s has more than 64 octets before the @, which some servers refuse":                           "%s：%s 的 @ 前超过 64 个字节，有的服务器会拒绝",

	// Invalid messages.
	"skip and list messages that can't be sent; the exit status is then at least 65": "列出无法发送的邮件，发送其余的；退出码至少为 65",
	"none of the %d messages can be sent":                                            "%d 封邮件都无法发送",
	"nothing was sent: %d of %d messages are invalid":                                "没有发送任何邮件：%d 封（共 %d 封）有问题",
	"Use %s to send the others.":                                                     "要发送其余的邮件，请加 %s。",
	"and %d more":                                                                    "另有 %d 封",
	"%d invalid and skipped":                                                         "有问题而跳过 %d 封",

	// --fit and --set-from.
	"add a missing Date and Message-ID, and encode and fold parts that servers refuse: UTF-8 in the header, long lines, 8-bit text; signed messages are not changed": "补上缺少的 Date 和 Message-ID，并对服务器无法接收的内容编码、折行：邮件头中的 UTF-8、过长的行、8 位正文；已签名的邮件保持原样",
	"write the account's sender (or -f) into From: if it has no address (default), or always":                                                                        "把账号的发件人（或 -f 的）写入 From：missing 仅在其中没有地址时（默认），always 总是",
	"header field %s has more than %d octets without a space to fold it at":                                                                                          "邮件头字段 %s 有超过 %d 字节没有可折行的空格",
	"line %d is longer than %d octets and can't be changed, because the message is signed (%s)":                                                                      "第 %d 行超过 %d 字节，因邮件已签名（%s）而不能改动",
	"line %d is longer than %d octets, in a part that can't be re-encoded":                                                                                           "第 %d 行超过 %d 字节，且所在部分无法重新编码",
	"line %d contains a NUL, in the header of a part":                                                                                                                "第 %d 行（某部分的头字段中）含有 NUL",
	"it contains a NUL, which mail can't carry, in a part that can't be re-encoded":                                                                                  "邮件中含有无法传送的 NUL，且所在部分无法重新编码",
	"the header contains unencoded UTF-8 and the server does not support SMTPUTF8":                                                                                   "邮件头中直接含有 UTF-8，而服务器不支持 SMTPUTF8",
	"Use %s to send this message.": "加 %s 可以发送这封邮件。",
	"want %q or %q":                "应为%q或%q",
	"yan does this for messages it composes; for existing messages use '%s'": "yan 撰写的邮件总是如此，已有的邮件请用 %s",
}
