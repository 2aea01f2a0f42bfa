package i18n

// chineseSendmail is the part of the table for yan sendmail and the drop folder.
var chineseSendmail = map[string]string{
	"-N %q: want never, or some of success, failure and delay, with commas": "-N %q：应为 never，或 success、failure、delay 中的若干个，以逗号分隔",
	"-R %q: want full or hdrs": "-R %q：应为 full 或 hdrs",
	"-b%s is not supported; -bm, -bs, -bp, -bv and -bi are, and 'yan serve' is the daemon": "不支持 -b%s；支持 -bm、-bs、-bp、-bv 和 -bi，守护进程是 yan serve",
	"-%c needs a value":                               "-%c 需要一个值",
	"%s needs a value":                                "%s 需要一个值",
	"unknown option %s":                               "没有选项 %s",
	"unknown option %s; did you mean %s?":             "没有选项 %s；是否指 %s？",
	"%q is neither an address nor the name of a user": "%q 既不是邮件地址，也不是用户名",
	"the recipient %q is not UTF-8":                   "收件人 %q 不是 UTF-8 编码",
	"the recipient %q has a %q that is not closed":    "收件人 %q 中的 %q 没有配对",

	"%d recipients are too many for one message":                                                  "一封邮件不能有 %d 个收件人",
	"it is not a file of this folder's format":                                                    "文件格式不是投递目录的格式",
	"version %d of the format is not known; update yan":                                           "不认识格式版本 %d；请更新 yan",
	"the file has %d octets of a message of %d":                                                   "文件只有 %d 字节，邮件应有 %d 字节",
	"it has no recipients":                                                                        "没有收件人",
	"%s: every user can remove the files of others; set its mode to 3733":                         "%s：任何用户都能删除他人的文件；请将其权限设为 3733",
	"%s belongs to another user; files in it can't be removed after their messages were accepted": "%s 属于其他用户；邮件收下后无法删除其中的文件",
	"its name is not that of a message":                                                           "文件名不是邮件的文件名",
	"it is a symbolic link":                                                                       "它是符号链接",
	"it has a second name, and may be the file of another user":                                   "它有第二个名称，可能是其他用户的文件",
	"it was not created in this folder, and may be the file of another user":                      "它不是在此文件夹中创建的，可能是其他用户的文件",

	"yan serve answered %d: %s": "yan serve 应答 %d：%s",
}
