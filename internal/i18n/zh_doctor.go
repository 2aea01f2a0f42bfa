package i18n

// chineseDoctor is the part of the table for yan doctor.
var chineseDoctor = map[string]string{
	"the password could not be read: %s": "无法读取密码：%s",
	"there is no keyring that works, and nobody to ask for the passphrase of the encrypted file": "没有可用的密钥环，也无人可询问加密文件的口令",
	"ACCOUNT|HOST": "账号|主机",
	"Find out why sending fails, and what to do about it": "查明发信失败的原因和解决办法",
	"Look at everything that a message passes on its way out, one step after the other, and end with the one " +
		"thing to do next: the server's name, its ports, TLS and certificate, what it offers and what that means for " +
		"speed, the login, the sender; and SPF, DKIM and DMARC of the sender's domain.\n\n" +
		"Without an argument the default account is looked at. HOST is a host, host:port, URL, provider or address; " +
		"its password comes from the file that YAN_PASSWORD_FILE names, and without one there is no login. " +
		"It logs in once, and sends no message unless --send-to says so.": "逐步检查一封信发出时经过的每个环节，最后给出下一步该做的一件事：" +
		"服务器域名、端口、TLS 与证书、服务器支持的功能及其对速度的影响、登录、发件人，以及发件域名的 SPF、DKIM 和 DMARC。\n\n" +
		"不带参数时检查默认账号。“主机”可以是主机名、主机:端口、URL、服务商或邮箱地址；" +
		"其密码取自 YAN_PASSWORD_FILE 指明的文件，没有密码则不登录。" +
		"整个过程只登录一次；除非使用 --send-to，否则不发送任何邮件。",
	"What to look at:": "检查内容：",
	"the sender (default: that of the account, or the user of the URL)":                                     "发件人（默认：账号的发件人，或 URL 中的用户名）",
	"look for this DKIM key in the sender's domain":                                                         "在发件域名中查找该选择器的 DKIM 公钥",
	"send a small test message there; without it nothing is sent":                                           "向该地址发一封简短的测试邮件；不加此项则什么都不发送",
	"ask this DNS server, like 192.0.2.53 or 192.0.2.53:5353, instead of the system's":                      "改用这个 DNS 服务器查询，例如 192.0.2.53 或 192.0.2.53:5353",
	"give up on a step after this time, like 5s (default: 15s)":                                             "每一步最多等待的时间，例如 5s（默认 15s）",
	"%q: want an account, a host, host:port, URL, provider or address":                                      "%q：应为账号、主机名、主机:端口、URL、服务商或邮箱地址",
	"%q: want a port from 1 to 65535":                                                                       "%q：端口应在 1 到 65535 之间",
	"%q is neither an account nor a known provider":                                                         "%q既不是账号，也不是已知的服务商",
	"'yan providers' lists those that are known; a host is written with its domain, like smtp.example.com.": "yan providers 列出已知的服务商；主机名要写完整，例如 smtp.example.com。",
	"there are several accounts and no default: %s":                                                         "有多个账号，没有默认账号：%s",
	"Name one: %s":            "请指明其中一个：%s",
	"there is no account yet": "还没有账号",
	"'yan login' makes one; 'yan doctor HOST' looks at a server without one.": "用 yan login 添加账号；也可用 yan doctor 主机 直接检查服务器。",
	"no server is known for %s": "不知道 %s 的服务器",
	"Name it: %s":               "请指明服务器：%s",
	"%s: not an address that mail can be sent from: %v":                                              "%s：不是可以发信的地址：%v",
	"%s needs a sender: give %s":                                                                     "%s 需要发件人：请用 %s 指定",
	"%s %q: want the address of a DNS server, like 192.0.2.53 or 192.0.2.53:5353":                    "%s %q：应为 DNS 服务器的地址，例如 192.0.2.53 或 192.0.2.53:5353",
	"Test message from yan doctor":                                                                   "yan doctor 的测试邮件",
	"This message was sent by 'yan doctor --send-to' to try the way to you. There is nothing to do.": "这是 yan doctor --send-to 为测试发信而发送的邮件，无需处理。",

	"%s (%s)":                           "%s（%s）",
	"account %s: %s":                    "账号 %s：%s",
	"%s, sender %s":                     "%s，发件人 %s",
	"Address":                           "地址",
	"Port":                              "端口",
	"Port %s":                           "端口 %s",
	"Socket":                            "套接字",
	"Greeting":                          "问候语",
	"Certificate":                       "证书",
	"Clock":                             "时钟",
	"Speed":                             "速度",
	"Extensions":                        "扩展",
	"Limits":                            "限制",
	"Mechanisms":                        "登录方式",
	"Login":                             "登录",
	"Sender":                            "发件人",
	"Test message":                      "测试邮件",
	"Receiver":                          "收件方判断",
	"The server":                        "服务器",
	"The sender's domain":               "发件域名",
	"The sender's domain, %s":           "发件域名 %s",
	"Sending fails here: %s":            "问题出在：%s",
	"Mail goes out; put this right: %s": "可以发信，但建议处理：%s",
	"Mail goes out, and receivers may refuse it: %s":                                                               "可以发信，但可能被收件方拒收：%s",
	"Nothing is wrong, and there is nothing to do.":                                                                "一切正常，无需处理。",
	"Nothing is wrong, as far as it was looked at.":                                                                "已检查的部分一切正常。",
	"Nothing is wrong, as far as can be seen without a login; YAN_PASSWORD_FILE names the file with the password.": "未登录，已检查的部分一切正常；可用 YAN_PASSWORD_FILE 指明密码文件再试。",
}
