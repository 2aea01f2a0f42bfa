package words

// chineseOutboxDoor is the part of the table for what is between a program and the
// outbox: where it is, how it is configured, and what goes into it.
var chineseOutboxDoor = map[string]string{
	// Where it is.
	"making the folder of the outbox: %w":                                                    "创建发件箱所在的文件夹：%v",
	"%s is no outbox: want the path of a file, or a URL that begins with postgres://":        "%s 不是发件箱：请填写文件路径，或以 postgres:// 开头的 URL",
	"there is no place for the outbox: neither YAN_OUTBOX nor XDG_DATA_HOME nor HOME is set": "发件箱没有存放位置：YAN_OUTBOX、XDG_DATA_HOME 和 HOME 均未设置",
}
