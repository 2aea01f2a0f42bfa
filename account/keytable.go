package account

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/localerr"
)

// accountKeys returns the keys of an account, in the order in which they are written
// and shown. A key without a label is shown together with another one.
func accountKeys() []key {
	from := textKey("from", Label{"sends as", "发件人"}, func(a *Account) *string { return &a.From }).withCheck(Account.checkFrom)
	from.ownOnly, from.alwaysJSON = true, true
	match := listKey("match", Label{"also sends as", "也可用作"}, func(a *Account) *[]string { return &a.Match }).withCheck(Account.checkMatch)
	match.ownOnly = true
	return []key{
		from,
		match,
		textKey("server", Label{"server", "服务器"}, func(a *Account) *string { return &a.Server }).withCheck(Account.checkServer),
		textKey("user", Label{"login", "登录"}, func(a *Account) *string { return &a.User }),
		textKey("auth", Label{}, func(a *Account) *string { return &a.Auth }).withCheck(Account.checkAuth),
		secretKey(),
		oauth2Key(),
		textKey("fallback", Label{"fallback", "备用账号"}, func(a *Account) *string { return &a.Fallback }), // checked with the whole file
		signatureKey(),
		signatureFileKey(),
		textKey("reply_to", Label{"answers to", "回复地址"}, func(a *Account) *string { return &a.ReplyTo }).withCheck(Account.checkReplyTo),
		headersKey(),
		saveSentKey(),
		textKey("imap", Label{}, func(a *Account) *string { return &a.IMAP }).withCheck(Account.checkIMAP),
		textKey("sent_folder", Label{}, func(a *Account) *string { return &a.SentFolder }),
		textKey("tls_ca", Label{"authorities", "信任的 CA"}, func(a *Account) *string { return &a.TLSCA }),
		textKey("tls_pin", Label{"certificate pin", "证书指纹"}, func(a *Account) *string { return &a.TLSPin }).withCheck(Account.checkPin),
		textKey("tls_cert", Label{"client certificate", "客户端证书"}, func(a *Account) *string { return &a.TLSCert }).withCheck(Account.checkCertificate),
		textKey("tls_key", Label{}, func(a *Account) *string { return &a.TLSKey }),
		textKey("tls_name", Label{"certificate's name", "证书名称"}, func(a *Account) *string { return &a.TLSName }).withCheck(Account.checkTLSName),
		switchKey("tls_rsa_key_exchange", Label{"careful", "注意"}, false, func(a *Account) *bool { return &a.TLSRSAKeyExchange }),
		switchKey("allow_cleartext_password", Label{"careful", "注意"}, false, func(a *Account) *bool { return &a.AllowCleartextPassword }),
		textKey("proxy", Label{"proxy", "代理"}, func(a *Account) *string { return &a.Proxy }).withCheck(Account.checkProxy),
		textKey("local_name", Label{"says in EHLO", "EHLO 名称"}, func(a *Account) *string { return &a.LocalName }),
		pipeliningKey(),
		pipelineMessagesKey(),
		numberKey("connections", Label{"connections", "连接数"}, func(a *Account) *int { return &a.Connections }).withCheck(Account.checkConnections),
		parsedKey("pace", Label{"outbox pace", "发件箱速率"}, func(a *Account) *Pace { return &a.Pace }, parsePace, Pace.String),
		textKey("in_doubt", Label{"if in doubt", "结果存疑时"}, func(a *Account) *InDoubt { return &a.InDoubt }).withCheck(Account.checkInDoubt),
		timeoutKey(),
		textKey("dkim_selector", Label{"DKIM selector", "DKIM 选择器"}, func(a *Account) *string { return &a.DKIMSelector }),
		textKey("set_from", Label{"writes From", "写入 From"}, func(a *Account) *string { return &a.SetFrom }).withCheck(Account.checkSetFrom),
	}
}

// secretKey never returns its text, because a command may hold a password.
func secretKey() key {
	return key{
		name: "secret", label: Label{"secret", "密码"}, kind: reflect.TypeFor[*secretSettings](), hidden: true,
		set: func(a *Account, value any) (err error) {
			a.Secret, err = value.(secretSettings).toSecret()
			return err
		},
		toml:  func(a, _ Account) string { return a.Secret.asTOML() },
		text:  func(a Account) string { return a.Secret.asTOML() },
		check: func(a Account) error { return a.Secret.checkSources() },
	}
}

func oauth2Key() key {
	return key{
		name: "oauth2", kind: reflect.TypeFor[*oauth2Settings](),
		set:   func(a *Account, value any) error { a.OAuth2 = OAuth2(value.(oauth2Settings)); return nil },
		toml:  func(a, _ Account) string { return a.OAuth2.asTOML() },
		text:  func(a Account) string { return a.OAuth2.ClientID },
		check: Account.checkOAuth2,
	}
}

// errBothSignatures: one account sets both keys. Each key replaces an inherited other one.
var errBothSignatures = localerr.New("use either signature or signature_file")

func signatureKey() key {
	k := textKey("signature", Label{"signature", "签名"}, func(a *Account) *string { return &a.Signature })
	k.replaces, k.both = "signature_file", errBothSignatures
	k.set = func(a *Account, value any) error { a.Signature, a.SignatureFile = value.(string), ""; return nil }
	k.toml = func(a, _ Account) string {
		if a.SignatureFile != "" {
			return ""
		}
		return quoteTOML(a.Signature)
	}
	return k
}

func signatureFileKey() key {
	k := textKey("signature_file", Label{"signature file", "签名文件"}, func(a *Account) *string { return &a.SignatureFile })
	k.replaces = "signature"
	k.set = func(a *Account, value any) error { a.Signature, a.SignatureFile = "", value.(string); return nil }
	k.toml = func(a, _ Account) string {
		if a.SignatureFile == "" {
			return ""
		}
		return quoteTOML(a.SignatureFile)
	}
	return k
}

func headersKey() key {
	return key{
		name: "headers", label: Label{"header fields", "附加邮件头"}, kind: reflect.TypeFor[map[string]string](),
		set: func(a *Account, value any) error {
			own := value.(map[string]string)
			if err := checkNames(own); err != nil {
				return err
			}
			a.Headers = withHeaders(a.Headers, own)
			return nil
		},
		toml: func(a, inherited Account) string { return headersTOML(a.Headers, inherited.Headers) },
		text: func(a Account) string {
			var lines []string
			for _, h := range a.Headers {
				lines = append(lines, h.Name+": "+h.Value)
			}
			return strings.Join(lines, "\n")
		},
		json: func(a Account) any {
			var fields map[string]string
			for _, h := range a.Headers {
				if fields == nil {
					fields = map[string]string{}
				}
				fields[h.Name] = h.Value
			}
			return fields
		},
		check: Account.checkHeaders,
	}
}

// saveSentKey takes a word, or true for "auto" and false for "never".
func saveSentKey() key {
	k := textKey("save_sent", Label{"copy to Sent", "存入已发送"}, func(a *Account) *SaveSent { return &a.SaveSent })
	k.kind, k.alwaysJSON, k.check = reflect.TypeFor[any](), true, Account.checkSaveSent
	k.set = func(a *Account, value any) error {
		switch save := value.(type) {
		case bool:
			a.SaveSent = map[bool]SaveSent{true: SaveAuto, false: SaveNever}[save]
		default:
			a.SaveSent = SaveSent(fmt.Sprint(save)) // the check refuses unknown words
		}
		return nil
	}
	return k
}

func pipeliningKey() key {
	k := switchKey("pipelining", Label{"pipelining", "流水线"}, true, func(a *Account) *bool { return &a.NoPipelining })
	k.jsonName = "no_pipelining"
	return k
}

func pipelineMessagesKey() key {
	k := textKey("pipeline_messages", Label{"overlapping messages", "邮件重叠发送"}, func(a *Account) *PipelineMessages { return &a.PipelineMessages })
	k.toml = func(a, _ Account) string { return quoteTOML(string(a.PipelineMessages.orAuto())) }
	k.check = func(a Account) error { return a.PipelineMessages.checkWord() }
	return k
}

func timeoutKey() key {
	k := parsedKey("timeout", Label{"time limit", "时限"}, func(a *Account) *time.Duration { return &a.Timeout }, parseTimeout, timeoutText)
	k.toml = func(a, _ Account) string { return quoteTOML(timeoutTOML(a.Timeout)) }
	k.jsonName = "timeout_seconds"
	k.json = func(a Account) any { return a.Timeout.Seconds() }
	return k
}
