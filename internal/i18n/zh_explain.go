package i18n

// chineseExplain is the part of the table for yan explain.
var chineseExplain = map[string]string{
	"This looks like %s; use --provider if it isn't.": "看起来是%s；如果不是，请用 --provider 指明。",
	"This is a success reply; nothing failed.":        "这是成功的应答，没有出错。",
	"unclear whether to try again":                    "不确定是否应该重试",

	"The server is waiting for the message: send its header, an empty line and its text, then a line with a single dot.": "服务器在等待邮件内容：请依次发送邮件头、一个空行、正文，最后发送只有一个点的一行。",
	"The server is ready. If this is the greeting, send EHLO next; after STARTTLS, start the TLS handshake.":             "服务器已就绪。若是刚连接：接着发送 EHLO；若在 STARTTLS 之后：请开始 TLS 握手。",
	"This is the goodbye reply to QUIT; nothing failed.":                                                                 "这是对 QUIT 的应答，没有出错。",
	"The login succeeded. Send MAIL FROM next.":                                                                          "登录成功。接着发送 MAIL FROM。",
	"The command succeeded. After the message's final dot, this means the server accepted the message.":                  "命令已执行。若在邮件末尾的单个点之后，表示服务器已接收邮件。",
	"The recipient was accepted; the server will forward the mail to another address.":                                   "收件人已接受，服务器会把邮件转到另一个地址。",
	"The server does not say whether this mailbox exists, but accepts mail for it.":                                      "服务器不说明该邮箱是否存在，但会收下给它的邮件。",

	"The server is waiting for the first part of the login, in base64.":                                      "服务器在等待登录数据的第一部分（base64）。",
	"The server is waiting for the next part of the login, in base64.":                                       "服务器在等待登录数据的下一部分（base64）。",
	"The server asks for your user name: %s is base64 for %q. Reply with the user name, in base64.":          "服务器在询问账号：%s 是%q的 base64。请发送账号的 base64。",
	"The server asks for your password (authorization code): %s is base64 for %q. Reply with it, in base64.": "服务器在询问密码（授权码）：%s 是%q的 base64。请发送它的 base64。",
	"The server refused the token: %s. Reply with an empty line; the server then refuses the login.":         "服务器拒绝了令牌：%s。请发送一个空行，随后会收到拒绝登录的应答。",
	"The server sends a login challenge: %s is base64 for %q. The reply depends on the mechanism.":           "服务器发来了登录质询：%s 是%q的 base64。如何回答由登录机制规定。",
}
