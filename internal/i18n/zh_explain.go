package i18n

// chineseExplain is the part of the table for yan explain.
var chineseExplain = map[string]string{
	"This looks like %s; use --provider if it isn't.": "看起来是%s；如果不是，请用 --provider 指明。",
	"This is a success reply; nothing failed.":        "这是成功的应答，没有出错。",

	"The server waits for the message: send its header, an empty line and its text, then a line with a single dot.": "服务器在等待邮件内容：请依次发送邮件头、一个空行、正文，最后发送只有一个点的一行。",
	"The server is ready. As a greeting: send EHLO next. After STARTTLS: begin the TLS handshake.":                  "服务器已就绪。若是刚连接：接着发送 EHLO；若在 STARTTLS 之后：请开始 TLS 握手。",
	"The server says goodbye: it is the answer to QUIT, and nothing has failed.":                                    "这是对 QUIT 的应答，服务器道别，没有出错。",
	"The login worked. Send MAIL FROM next.":                                                                        "登录成功。接着发送 MAIL FROM。",
	"The command was carried out. After the message's final dot it means: the server has taken the message.":        "命令已执行。若在邮件末尾的单个点之后，表示服务器已收下邮件。",
	"The recipient was accepted; the server passes the mail on to another address.":                                 "收件人已接受，服务器会把邮件转到另一个地址。",
	"The server does not say whether this mailbox exists, but takes mail for it.":                                   "服务器不说明该邮箱是否存在，但会收下给它的邮件。",

	"The server waits for the first part of the login, in base64.":                                           "服务器在等待登录数据的第一部分（base64）。",
	"The server waits for the next part of the login, in base64.":                                            "服务器在等待登录数据的下一部分（base64）。",
	"The server asks for your user name: %s is base64 of %q. Answer with the user name, in base64.":          "服务器在询问账号：%s 是 %q 的 base64。请发送账号的 base64。",
	"The server asks for your password (authorization code): %s is base64 of %q. Answer with it, in base64.": "服务器在询问密码（授权码）：%s 是 %q 的 base64。请发送它的 base64。",
	"The server refused the token: %s. Answer with an empty line; the reply that refuses the login follows.": "服务器拒绝了令牌：%s。请发送一个空行，随后会收到拒绝登录的应答。",
	"The server sends a challenge of the login: %s is base64 of %q. The mechanism says how to answer it.":    "服务器发来了登录质询：%s 是 %q 的 base64。如何回答由登录机制规定。",
}
