package i18n

// chineseOutboxBounce is the part of the table for bounces.
var chineseOutboxBounce = map[string]string{
	"nobody is told: the message is itself a report, has no sender, or asked for silence": "不通知任何人：该邮件本身就是报告、没有发件人，或要求不通知",
	"reading the header of the message that is reported on: %w":                           "读取所报告邮件的邮件头：%v",
	"a report needs the address of the account that sends it":                             "报告需要发信账号的地址",
	"a report needs a recipient to tell of":                                               "报告中至少要有一位收件人",
	"there is nothing to report on a recipient that is %s":                                "处于 %s 状态的收件人没有可报告的内容",
}
