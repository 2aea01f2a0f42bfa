package i18n

// chineseDaemon is the part of the table for 'yan serve'.
var chineseDaemon = map[string]string{
	"%s panicked: %v": "%s 出错中止：%v",
	"the delivery did not end in time: what it had waits until its lease has lapsed": "发送未能按时结束：其手中的邮件要等租约到期才会继续",
	"the socket can't be made":                                  "无法建立套接字",
	"%w: its path is too long: %s":                              "%v：路径太长：%s",
	"the address for metrics can't be used":                     "指标的地址不可用",
	"the delivery ended by itself":                              "发送自行结束了",
	"another yan serve has the socket %s":                       "另一个 yan serve 占用着套接字 %s",
	"another yan serve has the socket %s: process %d, since %s": "另一个 yan serve 占用着套接字 %s：进程 %d，自 %s 起",
	"%q: want a port or host:port":                              "%q：应为端口或 主机:端口",
	"no yan serve runs for this outbox":                         "没有 yan serve 在为这个发件箱工作",
	"the socket %s belongs to another user: %w":                 "套接字 %s 属于其他用户：%v",
	"asking yan serve: %w":                                      "询问 yan serve：%v",

	// The command.
	"Deliver what is in the outbox, until it is stopped": "投递发件箱中的邮件，直到停止",
	"Deliver what is in the outbox until Ctrl-C or SIGTERM: each message at its account's pace, again when the server says later, " +
		"and never twice by itself. It then finishes what is on the wire; a second signal ends it at once, and nothing is lost by that. " +
		"Several may serve one outbox, on several machines where it is in PostgreSQL.": "投递发件箱中的邮件，直到 Ctrl-C 或 SIGTERM：每封邮件按其账号的速率发送，" +
		"服务器要求稍后时再试，绝不自行重复发送。停止时先完成正在传输的邮件；再来一个信号则立即结束，也不会丢失任何邮件。" +
		"可以有多个进程同时为一个发件箱工作；发件箱在 PostgreSQL 中时，可以在多台机器上。",
	"SIGHUP has it read the configuration again; one that makes no sense changes nothing. docs/serve.md says more, and has a unit for systemd.": "收到 SIGHUP 时重新读取配置；配置有误则不作任何改变。docs/serve.zh-CN.md 有更多说明和 systemd 的单元文件。",
	"OUTBOX": "发件箱",
	"PATH":   "路径",
	"LEVEL":  "级别",
	"the file of the outbox, or a URL that begins with postgres:// and has no password (default: that of the configuration)": "发件箱的文件，或以 postgres:// 开头、不含密码的 URL（默认依配置）",
	"how long to wait at the end for what is on the wire (default 30s)":                                                      "停止时等待正在传输的邮件多久（默认 30s）",
	"where other commands reach this one (default: beside the outbox)":                                                       "其他命令与本进程联系的套接字（默认在发件箱旁边）",
	"show metrics to Prometheus at this port of 127.0.0.1, or at host:port":                                                  "在 127.0.0.1 的此端口（或 主机:端口）向 Prometheus 提供指标",
	"write the log as JSON":                       "以 JSON 写日志",
	"the least that is logged: %s (default info)": "日志的最低级别：%s（默认 info）",
	"%s %q: want a time above zero":               "%s %q：应为大于零的时间",
	"%s %v":                                       "%s %v",
	"Delivering what is in the outbox; Ctrl-C ends it well.": "正在投递发件箱中的邮件；按 Ctrl-C 正常结束。",
	"outbox":   "发件箱",
	"accounts": "账号",
	"socket":   "套接字",
	"metrics":  "指标",
	"none: set XDG_RUNTIME_DIR, or name one with --socket":                              "无：请设置 XDG_RUNTIME_DIR，或用 --socket 指定",
	"The log has where it happened; please report it.":                                  "日志中有出错的位置；请报告此问题。",
	"Stop it, or name another place with --socket to serve beside it.":                  "请先停止它，或用 --socket 另指定一处，与它同时工作。",
	"Look at the disk, and start it again: nothing that was accepted is lost.":          "请检查磁盘，然后重新启动：已接受的邮件不会丢失。",
	"Choose another address with --metrics.":                                            "请用 --metrics 另选地址。",
	"Name another place with --socket.":                                                 "请用 --socket 另指定一处。",
	"the delivery failed":                                                               "投递失败",
	"Update this program.":                                                              "请更新本程序。",
	"the outbox %s can't be opened":                                                     "无法打开发件箱 %s",
	"%s: a password does not belong on the command line":                                "%s：密码不应写在命令行上",
	"Leave it to ~/.pgpass or PGPASSWORD, or to password_command in the configuration.": "请放在 ~/.pgpass 或 PGPASSWORD 中，或在配置中用 password_command。",
	"%s: there is no account to send from":                                              "%s：没有可用于发送的账号",
	"Set one up with 'yan login'.":                                                      "请用 yan login 设置一个。",
}
