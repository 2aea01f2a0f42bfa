package i18n

// chineseOutboxSQLite is the part of the table for the outbox in a file.
var chineseOutboxSQLite = map[string]string{
	// Opening it.
	"making the outbox %s: %w":                                                                                  "创建发件箱 %s：%v",
	"%s is no outbox, and no database at all":                                                                   "%s 不是发件箱，根本不是数据库",
	"%s is another program's database, not an outbox":                                                           "%s 是其他程序的数据库，不是发件箱",
	"the outbox %s can't be written: the disk, the folder or the file is read-only":                             "无法写入发件箱 %s：磁盘、文件夹或文件是只读的",
	"the outbox %s can't be opened: the folder or the file does not let this user in, or the disk is read-only": "无法打开发件箱 %s：该用户无权访问文件夹或文件，或磁盘是只读的",
	"the outbox %s can't have a write-ahead log; is it on a disk of this machine?":                              "发件箱 %s 无法使用预写日志；它在本机的磁盘上吗？",
	"the outbox %s has version %d, and can't be brought to version %d while it is opened for reading only":      "发件箱 %s 的版本是 %d，以只读方式打开时无法升级到版本 %d",
	"the outbox %s was not closed, and what its log holds can't be read while the disk is read-only":            "发件箱 %s 没有正常关闭，磁盘只读时无法读取其日志中的内容",
	"the outbox %s is on a network file system (%s), which does not keep several programs from damaging it: put it on a disk of this machine": "发件箱 %s 在网络文件系统（%s）上，" +
		"那里无法防止多个程序同时写入造成损坏：请把它放在本机的磁盘上",
	"SQLite does not wait for the disk here (synchronous is not FULL), so that mail could be lost": "SQLite 在此不等待写入磁盘（synchronous 不是 FULL），邮件可能丢失",
	"SQLite %s can damage a database that several processes write; %s or later is needed":          "SQLite %s 在多个进程同时写入时可能损坏数据库；需要 %s 或更新的版本",

	"%s is not a file: it can't be a part of the outbox": "%s 不是文件，不能是发件箱的一部分",
	"%s belongs to another user, who could read and change the mail in it: an outbox has one owner, and several users share one in PostgreSQL": "%s 属于其他用户，" +
		"该用户能读取并更改其中的邮件：一个发件箱只有一个所有者，多个用户请共用 PostgreSQL 中的发件箱",

	// Using it.
	"%w: %s is not a file":                                  "%v：%s 不是文件",
	"%w: what is in %s is not what was kept":                "%v：%s 的内容与当初保存的不一致",
	"the outbox was opened for reading only":                "发件箱是以只读方式打开的",
	"another program has been writing to the outbox for %v": "另一个程序写入发件箱已有 %v",
	"the message has no content":                            "邮件没有内容",
	"reading the message: %w":                               "读取邮件：%v",
	"the message ends %d octets before its size":            "邮件比声明的大小少 %d 字节",
	"the message is longer than its size":                   "邮件超过声明的大小",
	"%q is no place between events":                         "%q不是事件之间的位置",
	"a lease can't be settled as %q":                        "租约不能以%q了结",
	"a worker with the owner %q has joined already":         "所有者为%q的工作进程已经加入",
}
