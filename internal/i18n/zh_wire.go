package i18n

// chineseWire is the part of the table for TLS, logins and connections.
var chineseWire = map[string]string{
	// Flags and keys.
	"name expected in the server's certificate (default: the host)":                                        "服务器证书应当对应的名称（默认为主机名）",
	"also accept TLS without forward secrecy; for old servers that support nothing else":                   "也接受没有前向保密的 TLS；仅用于别无选择的旧服务器",
	"STARTTLS, required, on ports 25, 587 and 2525; TLS from the first byte on others (default port: 465)": "25、587、2525 端口必须 STARTTLS，其他端口一开始就用 TLS（默认端口 465）",
	"%s %q: want a host name like mail.example.com":                                                        "%s %q：应为主机名，如 mail.example.com",
	"%q: want a host name like mail.example.com":                                                           "%q：应为主机名，如 mail.example.com",
	"the TLS name %q is not a host name":                                                                   "TLS 名称%q不是主机名",
	"server %q: %w, %s; if it is correct, write it as %s":                                                  "服务器%q：%v：%s；如果没有写错，请写成 %s",
	"a host name almost identical to a known provider's":                                                   "与已知服务商的主机名只差一个字母",

	// The connection.
	"the server sends no greeting; the port uses TLS from the first byte":                                "服务器没有发来问候语，该端口一开始就用 TLS",
	"the server did not answer the TLS ClientHello":                                                      "服务器没有应答 TLS 的 ClientHello",
	"the server did not answer the TLS ClientHello; retrying with a smaller one, without X25519MLKEM768": "服务器没有应答 TLS 的 ClientHello；改用较小的（不含 X25519MLKEM768）再试一次",
	"no greeting yet; waiting up to %s":                                                                  "尚未收到问候语；继续等待，最多 %s",
	"%s has not sent a greeting yet; waiting up to %s. Press Ctrl-C to stop.":                            "%s 尚未发来问候语；继续等待，最多 %s。按 Ctrl-C 停止。",
	"%s; RSA key exchange, without forward secrecy":                                                      "%s；RSA 密钥交换，没有前向保密",

	// Accounts without a login.
	"do not log in; for a server that accepts mail from this machine without a login": "不登录；服务器直接接收本机的邮件",
	"%s offers no login: it accepts mail from this machine without one":               "%s 不提供登录：直接接收本机的邮件",
	"  Asking %s whether it accepts the sender …":                                     "  正在询问 %s 是否接受发件人…",
	"%s may send without a login (%s)":                                                "%s 无需登录即可发信（%s）",
	"Account %s saved but not tested; it needs no login.":                             "账号 %s 已保存，未经试用；无需登录。",
	"Account %s is ready; it needs no login.":                                         "账号 %s 已就绪；无需登录。",
	"%s can't be used with %s: without a login there is no secret":                    "%s 不能与 %s 同时使用：不登录就不需要密码",

	// Secrets.
	"account %s: %s did not end (%s)": "账号 %s：%s没有结束（%s）",
	"account %s: %s did not end; is it waiting for a passphrase? It has no terminal to ask on":                                          "账号 %s：%s没有结束；是不是在等待输入口令？它没有可供询问的终端",
	"Run the command on its own: it must print the secret without asking. Unlock its password store, or store the secret elsewhere: %s": "请单独运行该命令：它应当不经询问就输出密码。请先解锁它所用的密码库，或把密码存到别处：%s",
	"the command did not end": "命令没有结束",
	"account %s: systemd passed no credentials to this process, so there is no %s": "账号 %s：systemd 没有向本进程传递任何凭据，因此没有 %s",
	"Run it as a service with %s in its unit.":                                     "请作为服务启动，并在其 unit 中写上 %s。",
	"account %s: systemd did not pass credential %s; it passed: %s":                "账号 %s：systemd 没有传递凭据 %s；已传递的有：%s",
	"account %s: systemd did not pass credential %s":                               "账号 %s：systemd 没有传递凭据 %s",
	"Correct the name, or add %s to the unit.":                                     "请改正名称，或在 unit 中加上 %s。",

	// The proxy.
	"yan: %s is not used: its proxy type is not supported; use one like %s":                 "yan：没有使用 %s：它所指的代理不是 yan 支持的类型（如 %s）",
	"That does not look like one: %s of %s is 16 letters, not the password of the website.": "这不像是%[1]s：%[2]s的%[1]s是 16 个字母，而不是网页登录密码。",

	// Importing.
	"yan's setting of this name limits a whole run, not each wait; set it yourself if you want that": "yan 的同名设置限制的是整次运行的时间，而不是每次等待；如有需要请自行设置",
	"its password is in cleartext there": "密码在其中以明文保存",
	"store each password in a file next to the configuration that only you can read, instead of the keyring": "把每个密码存到配置文件旁只有您能读取的文件里，而不是密钥环",
	"not imported, because their passwords can't be stored: %s (%s)":                                         "以下账号的密码无法保存，因此没有导入：%s（%s）",
	"Store them in files that only you can read: %s":                                                         "可改存到只有您能读取的文件里：%s",
}
