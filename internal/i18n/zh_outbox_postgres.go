package i18n

// chineseOutboxPostgres is the part of the table for the outbox in a PostgreSQL
// database.
var chineseOutboxPostgres = map[string]string{
	// Connecting.
	"%s is not the URL of a PostgreSQL database; want a URL like postgres://user@host:5432/database":                       "%s 不是 PostgreSQL 数据库的 URL；应为 postgres://用户@主机:5432/数据库 形式的 URL",
	"%s: the PostgreSQL server is too old (%s): the outbox needs version 13 or later":                                      "%s：PostgreSQL 服务器太旧（%s）：发件箱需要 13 或更高版本",
	"%s: the PostgreSQL server has fsync=off: a power failure would lose accepted mail; set it to on":                      "%s：PostgreSQL 服务器设置了 fsync=off：断电会丢失已接收的邮件；请改为 on",
	"%s: PostgreSQL has synchronous_commit=off: a crash would lose accepted mail; set it to on for this database and user": "%s：PostgreSQL 设置了 synchronous_commit=off：崩溃会丢失已接收的邮件；请为此数据库和用户改为 on",
	"can't reach %s: %w": "无法连接 %s：%v",
	"%s: the server refuses this user; check the user name, the password and the server's pg_hba.conf: %w":              "%s：服务器拒绝该用户登录；请检查用户名和密码，以及服务器的 pg_hba.conf：%v",
	"%s: no such database on the server; create it, and yan creates the tables: %w":                                     "%s：服务器上没有这个数据库；请先创建数据库，yan 会自动建表：%v",
	"%s: the server refuses connections: %w":                                                                            "%s：服务器不接受连接：%v",
	"%s: creating the tables of the outbox: %w":                                                                         "%s：建立发件箱的表：%v",
	"this user can't create the schema yan: let the database owner create it once, or grant CREATE on the database: %w": "该用户无权创建 schema yan：请由数据库所有者创建一次，或授予该数据库的 CREATE 权限：%v",

	// The files of libpq.
	"%w; files with PostgreSQL settings must belong to you or to root":         "%v；含有 PostgreSQL 设置的文件必须属于您本人或 root",
	"%w, and it contains a PostgreSQL secret; run: chmod 600 %s":               "%v，而其中有 PostgreSQL 的密码或私钥；请执行 chmod 600 %s",
	"%w, and it decides which PostgreSQL server is trusted; run: chmod o-w %s": "%v，而它决定信任哪台 PostgreSQL 服务器；请执行 chmod o-w %s",
	"can't read a file named in the PostgreSQL settings: %w":                   "PostgreSQL 设置所指定的文件无法读取：%v",

	// Committing.
	"lost the connection to the database before the commit: nothing was saved, try again": "提交之前与数据库的连接中断：没有保存任何内容，请重试",
	"the database rolled back instead of committing":                                      "数据库没有提交，而是回滚了",
	"the message with this key was just deleted: try again":                               "使用这个键的邮件刚刚被清除：请重试",
	"PostgreSQL can't store %q: it contains a NUL or is not UTF-8":                        "PostgreSQL 无法保存%q：含有 NUL 字符或不是 UTF-8",
	"%w (%w)": "%v（%v）",
}
