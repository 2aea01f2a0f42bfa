package diagnosis

import "strings"

// options maps flags of the command in the advice to settings of a program. The longer ones come
// first.
var options = []struct{ command, program Text }{
	{Text{EN: "for your server use --tls-ca FILE or --tls-pin (keys tls_ca, tls_pin)", ZH: "自建服务器请用 --tls-ca 文件 或 --tls-pin（配置项 tls_ca、tls_pin）"},
		Text{EN: "for your server set CAFile or Pin in Options", ZH: "自建服务器请设置 Options 的 CAFile 或 Pin"}},
	{Text{EN: "use --tls-name NAME (key tls_name)", ZH: "可用 --tls-name 名称（配置项 tls_name）"},
		Text{EN: "set TLSName in Options", ZH: "可设置 Options 的 TLSName"}},
	{Text{EN: "use --tls-name NAME (key tls_name)", ZH: "用 --tls-name 名称（配置项 tls_name）"},
		Text{EN: "set TLSName in Options", ZH: "设置 Options 的 TLSName"}},
	{Text{EN: "'yan doctor' shows which TLS versions the server supports", ZH: "yan doctor 可以查出服务器支持哪种 TLS"},
		Text{EN: "find out which TLS versions the server supports", ZH: "请查明服务器支持哪种 TLS"}},
	{Text{EN: "Log in with 'yan login' and OAuth 2.0; docs/relay.md shows how, also for programs without it", ZH: "请用 yan login 改以 OAuth 2.0 登录；步骤见 docs/relay.zh-CN.md，不支持它的程序也适用"},
		Text{EN: "Log in with OAuth 2.0: set Token or FreshToken in Options", ZH: "请改用 OAuth 2.0 登录：设置 Options 的 Token 或 FreshToken"}},
	{Text{EN: "like old servers that need --tls-rsa-key-exchange", ZH: "（如需要 --tls-rsa-key-exchange 的旧服务器）"},
		Text{EN: "like old servers that need RSAKeyExchange in Options", ZH: "（如需要 Options 的 RSAKeyExchange 的旧服务器）"}},
	{Text{EN: "by fingerprint with --tls-pin (key tls_pin)", ZH: "或用 --tls-pin（配置项 tls_pin）按指纹信任"},
		Text{EN: "by fingerprint with Pin in Options", ZH: "或用 Options 的 Pin 按指纹信任"}},
	{Text{EN: "Encode an unsigned header with yan send --raw --fit", ZH: "未签名的邮件头可用 yan send --raw --fit 编码"},
		Text{EN: "Write the header as encoded words (RFC 2047)", ZH: "请把邮件头写成编码形式（RFC 2047）"}},
	{Text{EN: "Encode the message with yan send --raw --fit", ZH: "请用 yan send --raw --fit 为邮件编码"},
		Text{EN: "Encode its parts as quoted-printable or base64", ZH: "请把各部分编码为 quoted-printable 或 base64"}},
	{Text{EN: "--local-name, or local_name in the account", ZH: "--local-name（或账号的 local_name）"},
		Text{EN: "LocalName in Options", ZH: "Options 的 LocalName"}},
	{Text{EN: "Use --tls-cert and --tls-key for", ZH: "请用 --tls-cert 和 --tls-key 提供"},
		Text{EN: "Set CertFile and KeyFile in Options to", ZH: "请用 Options 的 CertFile 和 KeyFile 提供"}},
	{Text{EN: "use yan send --no-pipelining", ZH: "请用 yan send --no-pipelining"},
		Text{EN: "set NoPipelining in Options", ZH: "请设置 Options 的 NoPipelining"}},
}

// ForPrograms returns the finding for a program that uses the library: the advice names fields of
// Options in place of flags of the command.
func (f Finding) ForPrograms() Finding {
	for _, t := range []*Text{&f.Cause, &f.Advice, &f.Hint, &f.Where} {
		for _, o := range options {
			t.EN = strings.ReplaceAll(t.EN, o.command.EN, o.program.EN)
			t.ZH = strings.ReplaceAll(t.ZH, o.command.ZH, o.program.ZH)
		}
	}
	return f
}
