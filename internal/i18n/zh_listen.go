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

	// The command yan token.
	"user name": "用户名",
	"server":    "服务器",
	"CREATED":   "创建日期",
	"Create, list or remove the tokens with which programs log in to 'yan serve'": "创建、列出或删除程序登录 yan serve 所用的令牌",
	"A token is the user name and the password of one program, such as a web application or a scanner, at the SMTP listener of 'yan serve'. It names the account that sends, and limits the senders and the number of recipients. The file tokens.toml next to the configuration holds hashes of the tokens; a running 'yan serve' notices each change at once.": "令牌是一个程序（如网站或扫描仪）在 yan serve 的 SMTP 监听处登录所用的用户名和密码。它指定用哪个账号发送，并限制发件人和收件人数量。配置文件旁的 tokens.toml 只保存令牌的散列值；正在运行的 yan serve 会立即采用每次改动。",
	"can't write the tokens": "无法写入令牌",
	"Correct the file, or delete it and create the tokens again.": "请更正这个文件，或将其删除并重新创建令牌。",
	"Create a token and print it once":                            "创建令牌，并显示一次",
	"Create a token for a program. Its name is the user name of the login; letters, digits and - _ . @ + are allowed, because some devices accept only an e-mail address there. The token is the password: it is printed once and kept only as a hash. With --from, other senders are refused; without it, a sender that the account does not have is replaced by the account's own address.": "为一个程序创建令牌。令牌的名称就是登录的用户名，可用字母、数字和 - _ . @ +，因为有的设备只接受邮箱地址。令牌就是密码：只显示一次，之后只保存散列值。加上 --from 时，其他发件人会被拒绝；不加时，不属于账号的发件人会改为账号自己的地址。",
	"no name given; for example: yan token new gitea":                               "没有写明名称；例如：yan token new gitea",
	"account that sends (default: the default account)":                             "用于发送的账号（默认：默认账号）",
	"sender that the program may use, or a pattern like *@example.com; repeatable":  "程序可用的发件人，或 *@example.com 这样的通配；可重复",
	"most recipients in an hour (default: no limit)":                                "每小时最多的收件人数（默认：不限）",
	"most recipients of a message (default: 1000)":                                  "每封邮件最多的收件人数（默认：1000）",
	"there is a token %q already":                                                   "已有令牌%q",
	"Choose another name, or remove it first: %s":                                   "请另选名称，或先将其删除：%s",
	"Token %s created; it sends from the account %s.":                               "已创建令牌 %s，使用账号 %s 发送。",
	"The password is not shown again. A running 'yan serve' accepts it at once.":    "密码不会再次显示。正在运行的 yan serve 立即接受它。",
	"Nothing listens yet: add [listen.smtp] to %s, or run 'yan serve --smtp 2525'.": "还没有监听：请在 %s 中加上 [listen.smtp]，或运行 yan serve --smtp 2525。",
	"List the tokens and what they allow":                                           "列出令牌及其权限",
	"SENDERS":                                                                       "发件人",
	"PER HOUR":                                                                      "每小时",
	"There are no tokens: 'yan token new NAME' creates one.":                        "还没有令牌：用 yan token new 名称 创建。",
	"Remove a token: its program can't log in any more":                             "删除令牌，使其程序无法再登录",
	"Remove a token. A running 'yan serve' refuses its program at once, also in sessions that have logged in. Messages that it has handed over are still sent; 'yan queue cancel' stops them.": "删除令牌。正在运行的 yan serve 立即拒绝其程序，已登录的会话也不例外。已交来的邮件仍会发送，可用 yan queue cancel 取消。",
	"no name given; 'yan token list' lists them": "没有写明名称；yan token list 列出全部令牌",
	"'yan token list' lists the tokens.":         "yan token list 列出全部令牌。",
	"Token %s removed.":                          "已删除令牌 %s。",
	"there is no token %q":                       "没有令牌%q",
	"Remove the token %s of the account %s?":     "删除账号 %[2]s 的令牌 %[1]s 吗？",
	"Its program can't send any more.":           "其程序将无法再发送。",
	// The sessions of the listener.
	"the user name or the password is wrong":                                                                 "用户名或密码错误",
	"clients can neither log in nor be known without a login":                                                "客户端既不能登录，也无法在不登录时识别",
	"the address can be reached by other machines, but there is no certificate: set certificate and key":     "其他机器能访问这个地址，但没有证书：请设置 certificate 和 key",
	"the address can be reached by other machines, but there are no logins: create one with 'yan token new'": "其他机器能访问这个地址，但没有可用的登录：请用 yan token new 创建",
	"the address can be reached by other machines, where clients without a login are not allowed":            "其他机器能访问这个地址，不允许客户端不登录",
	"the address takes passwords in the clear, but no networks are listed":                                   "这个地址接受明文密码，但没有列出允许的网络",
	"the user of the connection can't be found out":                                                          "无法查明是哪个用户建立了这个连接",

	// yan serve.
	"a way in ended unexpectedly": "接收邮件的途径意外结束",
}
