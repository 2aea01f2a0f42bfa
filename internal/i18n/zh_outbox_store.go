package i18n

// chineseOutboxStore is the part of the table for wrong clocks, copies of an outbox, and its unknown
// states.
var chineseOutboxStore = map[string]string{
	// Errors.
	"it is unknown whether this was saved":                                         "无法确定是否已保存",
	"this outbox is a copy and delivers nothing until it is adopted":               "此发件箱是副本，在接管之前不会发送任何邮件",
	"the database did not answer within %v":                                        "数据库在 %v 内没有应答",
	"%w: %s was moved or removed while it was in use":                              "%v：%s 在使用期间被移走或删除",
	"the outbox %s is missing, but its log %s exists: restore the file next to it": "发件箱 %s 不在，而它的日志 %s 还在：请把该文件放回原处",
	"%w: %s was removed while another program uses the outbox: stop that program, then restart it": "%v：另一个程序正在使用发件箱，而 %s 已被删除：" +
		"请先结束该程序，再重新启动",
	"%s and the outbox belong to different users: the administrator does not write there": "%s 与发件箱属于不同的用户：管理员不会写入该处",

	// yan send --queue.
	"Check before you run it again: %s":                                "重试之前请先查看：%s",
	"it is unknown whether the message is in the outbox":               "无法确定邮件是否已在发件箱中",
	"it is unknown whether %s is in the outbox; %d of %d messages are": "无法确定%s是否已在发件箱中；已确定放入 %d 封，共 %d 封",
	"Search for its Message-ID before you send it again: %s. With --key a repeated command adds nothing twice.": "再次发送之前，请先查找它的 Message-ID：%s。" +
		"使用 --key 时，重复执行同一命令不会重复放入。",
	"Run the same command again: with the same --key nothing is added twice.": "请再次执行同一命令：--key 相同时不会重复放入。",

	// yan queue adopt and copies.
	"Let a copy of an outbox deliver": "让发件箱的副本开始发送",
	"An outbox that was copied, restored from a backup or moved to another disk or machine delivers nothing: the original may have sent the same messages. This command makes it an independent outbox.\n\nAll its unfinished messages are then in doubt, because the original may have sent them since the copy was made; decide about each with 'yan queue resolve'. If you moved the outbox and the original is gone, use --moved: then only messages that were being sent at that moment are in doubt.": "复制得到、从备份恢复或移到其他磁盘、其他机器上的发件箱不会投递任何邮件：原来的发件箱可能已经发送了同样的邮件。此命令使它成为独立的发件箱。\n\n此后，其中所有未完成的邮件都转为“结果存疑”，因为复制之后原来的发件箱可能已经发送；请用 yan queue resolve 逐封决定。如果您移动了发件箱且原来的已不存在，请用 --moved：那样只有当时正在发送的邮件转为“结果存疑”。",
	"the original is gone and has sent nothing since":                           "原来的发件箱已不存在，且此后没有从中发送过邮件",
	"this outbox is not a copy; nothing was changed":                            "此发件箱不是副本；没有任何改动",
	"adopted; recipients in doubt: %d":                                          "已接管；结果存疑的收件人：%d",
	"'yan queue --state in_doubt' lists them; decide with 'yan queue resolve'.": "yan queue --state in_doubt 列出它们，请用 yan queue resolve 作出决定。",
	"If the original is gone: %s. If it is not, or you are not sure: %s; waiting messages are then in doubt.": "如果原来的发件箱已不存在：%s。如果还在，或不能确定：%s；" +
		"此后这里等待发送的邮件都转为“结果存疑”。",
	"This outbox is a copy of another one and delivers nothing.":                            "此发件箱是另一个发件箱的副本，不会投递任何邮件。",
	"The newest entry is %s ahead of the clock: the clock was wrong then, or is wrong now.": "最新记录的时间比时钟超前 %s：当时的时钟有误，或现在的时钟有误。",

	// A missing outbox.
	"outbox %s not found": "没有找到发件箱 %s",
	"Check the name. 'yan send --queue' creates the outbox with the first message.": "请检查名称。yan send --queue 放入第一封邮件时会创建发件箱。",
}
