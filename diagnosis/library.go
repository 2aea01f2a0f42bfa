package diagnosis

import "strings"

// options are the flags of the command that advice names, and what a program sets
// instead. The longer ones come first.
var options = []struct{ command, program Text }{
	{Text{EN: "own server: --tls-ca FILE or --tls-pin (keys tls_ca, tls_pin)", ZH: "自建服务器请用 --tls-ca 文件 或 --tls-pin（配置项 tls_ca、tls_pin）"},
		Text{EN: "for a server of your own set CAFile or Pin in Options", ZH: "自建服务器请设置 Options 的 CAFile 或 Pin"}},
	{Text{EN: "--local-name, or local_name of the account", ZH: "--local-name（或账号的 local_name）"},
		Text{EN: "LocalName in Options", ZH: "Options 的 LocalName"}},
	{Text{EN: "with --tls-cert and --tls-key", ZH: "请用 --tls-cert 和 --tls-key 提供"},
		Text{EN: "with CertFile and KeyFile in Options", ZH: "请用 Options 的 CertFile 和 KeyFile 提供"}},
	{Text{EN: "yan send --no-pipelining sends so", ZH: "请用 yan send --no-pipelining"},
		Text{EN: "set NoPipelining in Options", ZH: "请设置 Options 的 NoPipelining"}},
}

// ForPrograms is the finding for a program that uses the library: where the advice names
// flags of the command, it names fields of Options instead.
func (f Finding) ForPrograms() Finding {
	for _, t := range []*Text{&f.Cause, &f.Advice, &f.Hint, &f.Where} {
		for _, o := range options {
			t.EN = strings.ReplaceAll(t.EN, o.command.EN, o.program.EN)
			t.ZH = strings.ReplaceAll(t.ZH, o.command.ZH, o.program.ZH)
		}
	}
	return f
}
