package i18n

// chineseOutboxSQLite is the part of the table for the outbox in a file.
var chineseOutboxSQLite = map[string]string{
	// Opening it.
	"creating the outbox %s: %w":                                                                   "创建发件箱 %s：%v",
	"%s is not an outbox, nor any database":                                                        "%s 不是发件箱，也不是数据库",
	"%s is the database of another program, not an outbox":                                         "%s 是其他程序的数据库，不是发件箱",
	"can't write the outbox %s: the disk, the folder or the file is read-only":                     "无法写入发件箱 %s：磁盘、目录或文件是只读的",
	"can't open the outbox %s: no permission for the folder or the file, or the disk is read-only": "无法打开发件箱 %s：无权访问目录或文件，或磁盘是只读的",
	"the outbox %s can't use a write-ahead log; is it on a local disk?":                            "发件箱 %s 无法使用预写日志；它在本机的磁盘上吗？",
	"the outbox %s has version %d and can't be upgraded to version %d while it is open read-only":  "发件箱 %s 的版本是 %d，以只读方式打开时无法升级到版本 %d",
	"the outbox %s was not closed, and its log can't be read while the disk is read-only":          "发件箱 %s 没有正常关闭，磁盘只读时无法读取其日志中的内容",
	"the outbox %s is on a network file system (%s), where several programs can damage it: put it on a local disk": "发件箱 %s 在网络文件系统（%s）上，" +
		"那里无法防止多个程序同时写入造成损坏：请把它放在本机的磁盘上",
	"SQLite does not wait for the disk here (synchronous is not FULL), so mail could be lost": "SQLite 在此不等待写入磁盘（synchronous 不是 FULL），邮件可能丢失",
	"SQLite %s can damage a database that several processes write; %s or later is needed":     "SQLite %s 在多个进程同时写入时可能损坏数据库；需要 %s 或更新的版本",

	"%s is not a file and can't be part of the outbox": "%s 不是文件，不能是发件箱的一部分",
	"%s belongs to another user, who could read and change its mail: an outbox file has one owner; use PostgreSQL to share an outbox": "%s 属于其他用户，" +
		"该用户能读取并更改其中的邮件：一个发件箱只有一个所有者，多个用户请共用 PostgreSQL 中的发件箱",

	// Using it.
	"%w: %s is not a file": "%v：%s 不是文件",
	"%w: the contents of %s have changed since they were stored": "%v：%s 的内容与保存时不一致",
	"the outbox is open read-only":                               "发件箱是以只读方式打开的",
	"another program has been writing to the outbox for %v":      "另一个程序写入发件箱已有 %v",
	"the message has no content":                                 "邮件没有内容",
	"reading the message: %w":                                    "读取邮件：%v",
	"the message is %d octets shorter than its declared size":    "邮件比声明的大小少 %d 字节",
	"the message is longer than its declared size":               "邮件超过声明的大小",
	"%q is not a position in the events":                         "%q不是事件之间的位置",
	"a lease can't be settled as %q":                             "租约不能以%q了结",
	"a worker with the owner %q is already registered":           "所有者为%q的工作进程已经加入",
}
