package i18n

// chineseListen is the part of the table for the ways in: the configuration, tokens and the listener.
var chineseListen = map[string]string{
	// [local] and [submit].
	"want an address, another name of this table, or a list of them like [\"a@example.com\", \"root\"]": "应为地址、表中的另一个名称，或由它们组成的列表，如 [\"a@example.com\", \"root\"]",
	"%q: want the name of a local user, like root, or *":                                                "%q：应为本地用户名，如 root，或 *",
	"%q: want %s or %s":                         "%q：应为 %s 或 %s",
	"want a number, or 0 for the default":       "应为数字；0 表示默认值",
	"%q: want a path that starts with /, or %q": "%q：应为以 / 开头的路径，或 %q",

	"circular local names: %s":   "本地名称形成循环引用：%s",
	"%q has no entry in [local]": "[local] 中没有%q",

	// [listen.smtp].
	"%q: want a port or an address with a port, like 127.0.0.1:2525":                                                               "%q：应为端口，或带端口的地址，如 127.0.0.1:2525",
	"%q: want an IP address or localhost; 0.0.0.0 or [::] means all":                                                               "%q：应为 IP 地址或 localhost；0.0.0.0 或 [::] 表示所有地址",
	"the address is missing: want a port, or an address with a port":                                                               "缺少地址：应为端口，或带端口的地址",
	"want %q and networks, or a certificate instead":                                                                               "应为 %q 并设置 networks，或改用证书",
	"a certificate needs two files: certificate and key":                                                                           "证书需要两个文件：certificate 和 key",
	"other machines can reach this address: add certificate and key, or listen at 127.0.0.1":                                       "其他机器能访问这个地址：请加上 certificate 和 key，或改为监听 127.0.0.1",
	"passwords in the clear are only accepted from listed networks: add networks":                                                  "明文密码只接受来自所列网络的连接：请加上 networks",
	"other machines can reach this address, so everybody has to log in: remove it and use 'yan token new', or listen at 127.0.0.1": "其他机器能访问这个地址，因此都须登录：请删除此项并使用 yan token new，或改为监听 127.0.0.1",
	"%q: want a network like 192.0.2.0/24 or 2001:db8::/64":                                                                        "%q：应为网络，如 192.0.2.0/24 或 2001:db8::/64",
	"%q: the network is %s":                    "%q：这个网络应写作 %s",
	"the list is empty: nothing could connect": "列表为空，谁也无法连接",

	// Tokens.
	"there is a token with this name already": "已有这个名称的令牌",
	"there is no token with this name":        "没有这个名称的令牌",
	"%s, line %d: %w":                         "%s，第 %d 行：%v",
	"making a token: %w":                      "生成令牌：%v",
	"%q: a name of a token may contain only letters, digits, and - _ . @ +": "%q：令牌的名称只能由字母、数字和 - _ . @ + 组成",
	"it is not a file of tokens":      "它不是令牌文件",
	"token %s has no valid hash":      "令牌 %s 没有有效的散列值",
	"token %s has a limit below zero": "令牌 %s 的限制小于零",

	// The rules of the configuration.
	"the token %s does not exist any more":    "令牌 %s 已不存在",
	"create one with 'yan token new'":         "请用 yan token new 创建一个",
	"no account is set for this program":      "没有为这个程序设置账号",
	"set a default: yan account default NAME": "请设置默认账号：yan account default 名称",
	"set it up with 'yan login'":              "请用 yan login 设置",
	"the account %s can't be used":            "账号 %s 无法使用",
	"'yan config check' says why":             "原因见 yan config check",
	"%q is a local name: %w":                  "%q是本地名称：%v",
	"%q is a local name without an address":   "%q是本地名称，没有对应的地址",
	"add to the table [local] in %s: %s":      "请在 %s 的 [local] 中加上：%s",
	"reading %s: %w":                          "读取 %s：%v",
}
