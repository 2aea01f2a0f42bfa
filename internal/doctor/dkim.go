package doctor

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"
)

// publicKey is a key record of DKIM (RFC 6376 section 3.6.1).
type publicKey struct {
	kind    string // "rsa" or "ed25519"
	bits    int
	testing bool
	revoked bool
	// odd describes a flaw that only some verifiers reject; empty for none.
	odd Text
}

// parseKey reads a key record. problem is the reason why verifiers reject it;
// it is empty for a valid record.
//
// Compared with Mail::DKIM 1.20230212 and dkimpy 1.1.4: see testdata/dkim.tsv.
func parseKey(record string) (k publicKey, problem Text) {
	k.kind = "rsa"
	tags, empty, problem := parseTags(record)
	if problem != (Text{}) {
		return k, problem
	}
	if v, ok := tags["v"]; ok && v != "DKIM1" {
		return k, say("version %q is not DKIM1", "版本 %q 不是 DKIM1", cleanText(v))
	}
	if kind, ok := tags["k"]; ok {
		k.kind = kind
	}
	k.testing = hasWord(tags["t"], "y")
	if s, ok := tags["s"]; ok && !hasWord(s, "email") && !hasWord(s, "*") {
		return k, say("the key is for the service %q, not for e-mail (s=email)", "公钥用于服务 %q，而不是电子邮件（s=email）", cleanText(s))
	}
	if h, ok := tags["h"]; ok && !hasWord(h, "sha256") {
		return k, say("the key allows only the hash %q, and signatures use sha256", "公钥只允许散列算法 %q，而签名使用 sha256", cleanText(h))
	}
	encoded, ok := tags["p"]
	if !ok {
		return k, say("it contains no key (p=)", "其中没有公钥（p=）")
	}
	if encoded == "" {
		k.revoked = true
		return k, Text{}
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
	if err != nil {
		return k, say("the key (p=) is not base64", "公钥（p=）不是 base64")
	}
	if strings.Contains(tags["s"], ":") {
		k.odd = say("s= is a list", "s= 是一个列表")
	}
	if empty {
		k.odd = say("there is an empty tag (;;)", "含有空的标签（;;）")
	}
	return k, k.read(raw)
}

// hasWord reports whether a colon-separated list contains a word.
func hasWord(list, word string) bool {
	return slices.ContainsFunc(strings.Split(list, ":"), func(s string) bool { return strings.TrimSpace(s) == word })
}

func (k *publicKey) read(raw []byte) (problem Text) {
	switch k.kind {
	case "ed25519":
		if len(raw) != ed25519.PublicKeySize { // RFC 8463 section 4
			return say("an Ed25519 key has %d octets, this one %d", "Ed25519 公钥应为 %d 字节，这里是 %d 字节", ed25519.PublicKeySize, len(raw))
		}
		k.bits = 256
		return Text{}
	case "rsa":
		if key, err := x509.ParsePKIXPublicKey(raw); err == nil {
			if key, ok := key.(*rsa.PublicKey); ok {
				k.bits = key.N.BitLen()
				return Text{}
			}
			return say("the key is not an RSA key", "公钥不是 RSA 公钥")
		}
		// RFC 6376 section 3.6.1 describes the bare key, its erratum 3017 the
		// form above.
		key, err := x509.ParsePKCS1PublicKey(raw)
		if err != nil {
			return say("invalid key", "公钥无法解析")
		}
		k.bits = key.N.BitLen()
		k.odd = say("the key is a bare RSAPublicKey instead of SubjectPublicKeyInfo", "公钥是裸的 RSAPublicKey，而不是 SubjectPublicKeyInfo")
		return Text{}
	}
	if lower := strings.ToLower(k.kind); lower == "rsa" || lower == "ed25519" {
		return say("k=%s must be in lower case", "k=%s 必须用小写", cleanText(k.kind))
	}
	return say("unknown key type %q", "未知的公钥类型 %q", cleanText(k.kind))
}

// parseTags reads a list of tag=value (RFC 6376 section 3.2). empty reports an
// empty element other than the one after a final semicolon.
func parseTags(record string) (tags map[string]string, empty bool, problem Text) {
	if len(record) > maxRecord {
		return nil, false, say("it is longer than %d octets", "超过 %d 字节", maxRecord)
	}
	tags = map[string]string{}
	fields := strings.Split(record, ";")
	if len(fields) > 1 && strings.TrimSpace(fields[len(fields)-1]) == "" {
		fields = fields[:len(fields)-1]
	}
	for _, field := range fields {
		if strings.TrimSpace(field) == "" {
			empty = true
			continue
		}
		name, value, ok := strings.Cut(field, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return nil, false, say("%q is not of the form tag=value", "%q 不是“标签=值”的形式", cleanText(strings.TrimSpace(field)))
		}
		if _, twice := tags[name]; twice {
			return nil, false, say("the tag %s= occurs twice", "标签 %s= 出现了两次", cleanText(name))
		}
		tags[name] = strings.TrimSpace(value)
	}
	return tags, empty, Text{}
}

// The sizes of RSA keys: verifiers must not accept a key below the first; RFC
// 8301 section 3.2 requires the second of signers.
const (
	leastBits = 1024
	goodBits  = 2048
)

// checkDKIM looks up the key record of the account's selector.
func (v *examSession) checkDKIM() Step {
	s := Step{Name: NameDKIM, Target: v.domain(), Status: OK}
	if v.DKIMSelector == "" {
		s.Status = Info
		s.Detail = say("not checked: no selector is configured (dkim_selector)", "未检查：没有配置选择器（dkim_selector）")
		return s
	}
	s.Target = v.DKIMSelector + "._domainkey." + v.domain()
	began := v.Now()
	texts, err := v.dns.LookupTXT(v.ctx, s.Target)
	s.Took = v.Now().Sub(began)
	if err != nil && !isNotFound(err) {
		return dnsUnanswered(s, err)
	}
	if len(texts) == 0 {
		return brokenKey(s, say("there is no key at %s", "%s 处没有公钥", s.Target))
	}
	s.Facts.Record = cleanText(texts[0])
	if len(texts) > 1 {
		return brokenKey(s, say("there are %d TXT records at %s, and verifiers use any one or none of them", "%[2]s 处有 %[1]d 条 TXT 记录，收件方会任取一条或全部忽略", len(texts), s.Target))
	}
	key, problem := parseKey(texts[0])
	s.Facts.KeyType, s.Facts.KeyBits = key.kind, key.bits
	switch {
	case problem != (Text{}):
		return brokenKey(s, say("the key at %s is unusable: %v", "%s 处的公钥不可用：%v", s.Target, problem))
	case key.revoked:
		return brokenKey(s, say("the key at %s was revoked", "%s 处的公钥已被吊销", s.Target))
	case key.kind == "rsa" && key.bits < leastBits:
		return brokenKey(s, say("the RSA key has %d bits; receivers accept at least %d", "RSA 公钥只有 %d 位，收件方不接受低于 %d 位的密钥", key.bits, leastBits))
	case key.kind == "rsa" && key.bits < goodBits:
		s.Status, s.Detail = Warning, say("the RSA key has %d bits", "RSA 公钥只有 %d 位", key.bits)
		s.Advice = say("Create a DKIM key of %d bits and publish it under a new selector.", "请生成 %d 位的 DKIM 密钥，并以新的选择器发布。", goodBits)
	case key.testing:
		s.Status, s.Detail = Warning, say("the key is marked as a test (t=y), which most verifiers ignore", "公钥带有测试标记（t=y），多数收件方会忽略该标记")
		s.Advice = say("Remove t=y from the record at %s.", "请从 %s 的记录中去掉 t=y。", s.Target)
	case key.odd != (Text{}):
		s.Status, s.Detail = Warning, say("some verifiers refuse the key at %s: %s", "部分收件方不接受 %s 处的公钥：%s", s.Target, key.odd)
		s.Advice = say("Correct the TXT record %s.", "请更正 TXT 记录 %s。", s.Target)
	case key.kind == "rsa":
		s.Detail = say("RSA key of %d bits at %s", "%[2]s 处有 %[1]d 位 RSA 公钥", key.bits, s.Target)
	default:
		s.Detail = say("Ed25519 key at %s", "%s 处有 Ed25519 公钥", s.Target)
	}
	return s
}

func brokenKey(s Step, detail Text) Step {
	s.Status, s.Detail = Failed, detail
	s.Advice = say("Publish the signer's public key as the TXT record %s, or correct the selector.",
		"请把签名方的公钥发布为 TXT 记录 %s，或更正选择器。", s.Target)
	return s
}
