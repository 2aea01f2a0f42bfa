package i18n

// chineseOutboxBounce is the part of the table for bounces.
var chineseOutboxBounce = map[string]string{
	"no report is sent: the message is itself a report, has no sender, or asked for none": "不发送报告：该邮件本身就是报告、没有发件人，或要求不通知",
	"reading the header of the reported message: %w":                                      "读取所报告邮件的邮件头：%v",
	"a report needs the address of the sending account":                                   "报告需要发信账号的地址",
	"a report needs at least one recipient":                                               "报告中至少要有一位收件人",
	"there is nothing to report for a recipient in state %s":                              "处于 %s 状态的收件人没有可报告的内容",
}
