package i18n

// chineseDelivery is the part of the table for the delivery: paused accounts, names, and bugs in the
// program.
var chineseDelivery = map[string]string{
	"invalid account name %q: use letters, digits, - and _, at most %d": "账号名%q无效：只能用字母、数字、- 和 _，最多 %d 个",
	"Account %s can't send from this machine at the moment":             "账号 %s 目前无法从本机发送",
	"The next 'yan queue run' will try again.":                          "下次运行 yan queue run 时会再试。",
	"Account %s is no longer paused: its queued messages can be sent.":  "账号 %s 已恢复发送：排队的邮件可以发出了。",
	"Please report this bug and include the lines above.":               "请报告此错误，并附上以上各行。",
}
