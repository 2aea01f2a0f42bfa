package words

// chineseDaemon is the part of the table for 'yan serve' and what runs in it.
var chineseDaemon = map[string]string{
	"%s panicked: %v": "%s 出错中止：%v",
	"the delivery did not end in time: what it had waits until its lease has lapsed": "发送未能按时结束：其手中的邮件要等租约到期才会继续",
	"the delivery ended by itself":                              "发送自行结束了",
	"the address for metrics: %w":                               "指标的地址：%v",
	"another yan serve has the socket %s":                       "另一个 yan serve 占用着套接字 %s",
	"another yan serve has the socket %s: process %d, since %s": "另一个 yan serve 占用着套接字 %s：进程 %d，自 %s 起",
	"the path of the socket is too long: %s":                    "套接字的路径太长：%s",
	"the folder of the socket: %w":                              "套接字的文件夹：%v",
	"locking the socket: %w":                                    "锁定套接字：%v",
	"the socket: %w":                                            "套接字：%v",
	"%q: want a port or host:port":                              "%q：应为端口或 主机:端口",
	"no yan serve runs for this outbox":                         "没有 yan serve 在为这个发件箱工作",
	"asking yan serve: %w":                                      "询问 yan serve：%v",
}
