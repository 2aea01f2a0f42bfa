package i18n

// chineseOutboxDoor is the part of the table for the outbox: its place, its configuration, and
// enqueueing.
var chineseOutboxDoor = map[string]string{ // Its place.
	"%s is not an outbox: want a file path, or a URL that starts with postgres://": "%s 不是发件箱：请填写文件路径，或以 postgres:// 开头的 URL",
	"no place for the outbox: none of YAN_OUTBOX, XDG_DATA_HOME and HOME is set":   "发件箱没有存放位置：YAN_OUTBOX、XDG_DATA_HOME 和 HOME 均未设置",

	// The configuration.
	"Remove it and set its place: %s; or use PGPASSWORD or ~/.pgpass":                       "请将其删除，并写明存放位置：%s；也可使用 PGPASSWORD 或 ~/.pgpass",
	"want a file path, or a URL like postgres://user@host/database":                         "应为文件路径，或 postgres://用户@主机/数据库 形式的 URL",
	"passwords are not allowed in this file: use password_command, PGPASSWORD or ~/.pgpass": "密码不能写在此文件中：请使用 password_command、PGPASSWORD 或 ~/.pgpass",
	"password_command needs a url that starts with postgres:// and has a user name":         "使用 password_command 时，url 须以 postgres:// 开头并写明用户",
	"want none, sender or an address":                                                       "应为 none、sender 或一个地址",
	"%q: want hold or retry":                                                                "%q：应为 hold 或 retry",
	"want a number of messages per time, like 60/m; the units are s, m, h and d":            "应为一段时间内的邮件数，如 60/m；时间单位为 s、m、h、d",
	"want a time with its unit, like 7d or 12h":                                             "应为带单位的时间，如 7d 或 12h",
	"want a size with its unit, like 64MiB or 1GB":                                          "应为带单位的大小，如 64MiB 或 1GB",

	// Enqueueing.
	"the message has no recipients or no content":                                       "邮件没有收件人或没有内容",
	"reading the header of the message: %w":                                             "读取邮件头：%v",
	"the key must be 1 to %d octets of text without control characters":                 "键应为 1 到 %d 字节的文本，且不含控制字符",
	"%d tags; a message may have at most %d":                                            "有 %d 个标签；一封邮件最多 %d 个",
	"invalid tag %q: want 1 to %d octets without spaces, commas and control characters": "标签%q无效：应为 1 到 %d 字节，不含空格、逗号和控制字符",
	"invalid priority %d: want -1 (low), 0 or 1 (high)":                                 "优先级 %d 无效：应为 -1（低）、0 或 1（高）",
	"it expires at %s, before its earliest sending time %s":                             "失效时间 %s 早于最早发出时间 %s",

	// How an account sends.
	"account %s: %w": "账号 %s：%v",

	// The library.
	"there is no transaction to enqueue in":                                                    "没有可用来放入发件箱的事务",
	"a message in the outbox is sent to each recipient separately, so it can't be all or none": "发件箱中的邮件对每个收件人各自投递，不能要求全部接受才发送",
	"the sender is missing: neither the message nor the account has one":                       "缺少发件人：邮件和账号都没有写明",
}
