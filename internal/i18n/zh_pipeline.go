package i18n

// chinesePipeline is the part of the table for how messages overlap on a
// connection.
var chinesePipeline = map[string]string{

	"refuses commands sent before its reply to the end of DATA, as Haraka does":                   "拒绝在 DATA 结尾的应答之前到达的命令，如 Haraka",
	"loses commands sent before its reply to the end of DATA, as Courier and chasquid do":         "丢失在 DATA 结尾的应答之前到达的命令，如 Courier 和 chasquid",
	"adds commands sent before its reply to the end of DATA to the message":                       "把在 DATA 结尾的应答之前到达的命令当作邮件内容",
	"reads the octets of a refused BDAT as commands, as go-smtp did up to 0.25.0":                 "把被拒绝的 BDAT 的数据当作命令，如 0.25.0 及更早的 go-smtp",
	"hangs up at the eleventh RSET without an accepted message in between, as Exim does":          "收到第十一个 RSET 而其间没有收下邮件时断开连接，如 Exim",
	"replies 421 and keeps reading, as Exim does":                                                 "应答 421 之后继续读取命令，如 Exim",
	"lists DSN only after the login, as Dovecot does":                                             "登录之后才列出 DSN，如 Dovecot",
	"sends each reply separately and waits until the last is confirmed, as Haraka and Courier do": "逐条发送应答，并等待上一条得到确认，如 Haraka 和 Courier",
	"offers no PIPELINING and hangs up on two commands at once, as OpenSMTPD does":                "不支持 PIPELINING，一次收到两条命令就断开连接，如 OpenSMTPD",

	"the server ignores commands that arrive together with the end of a message":                            "服务器会忽略随邮件结尾一起到达的命令",
	"the message contains binary data, and this server is known to refuse it although it offers BINARYMIME": "邮件含有二进制数据；此服务器虽声称支持 BINARYMIME，但已知会拒收",
}
