package doctor

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// publicKey is a key record of DKIM (RFC 6376 section 3.6.1).
type publicKey struct {
	kind    string // "rsa" or "ed25519"
	bits    int
	testing bool
	revoked bool
}

// parseKey reads a key record. The error says what a verifier would stumble
// over.
func parseKey(record string) (publicKey, error) {
	tags, err := parseTags(record)
	if err != nil {
		return publicKey{}, err
	}
	k := publicKey{kind: "rsa"}
	if v, ok := tags["v"]; ok && v != "DKIM1" {
		return k, fmt.Errorf("version %q is not DKIM1", clean(v))
	}
	if kind, ok := tags["k"]; ok {
		k.kind = strings.ToLower(kind)
	}
	k.testing = slices.Contains(strings.Split(tags["t"], ":"), "y")
	if s, ok := tags["s"]; ok && !slices.Contains(strings.Split(s, ":"), "email") && !slices.Contains(strings.Split(s, ":"), "*") {
		return k, fmt.Errorf("the key is for the service %q, not for e-mail", clean(s))
	}
	encoded, ok := tags["p"]
	if !ok {
		return k, errors.New("there is no key in it (p=)")
	}
	if encoded == "" {
		k.revoked = true
		return k, nil
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
	if err != nil {
		return k, errors.New("the key (p=) is not base64")
	}
	return k, k.read(raw)
}

func (k *publicKey) read(raw []byte) error {
	switch k.kind {
	case "ed25519":
		if len(raw) != ed25519.PublicKeySize { // RFC 8463 section 4
			return fmt.Errorf("an Ed25519 key has %d octets, this one %d", ed25519.PublicKeySize, len(raw))
		}
		k.bits = 256
		return nil
	case "rsa":
		if key, err := x509.ParsePKIXPublicKey(raw); err == nil {
			if key, ok := key.(*rsa.PublicKey); ok {
				k.bits = key.N.BitLen()
				return nil
			}
			return errors.New("the key is not an RSA key")
		}
		// Some publish the bare key (RFC 6376 section 3.6.1 and its errata).
		key, err := x509.ParsePKCS1PublicKey(raw)
		if err != nil {
			return errors.New("the key can't be read")
		}
		k.bits = key.N.BitLen()
		return nil
	}
	return fmt.Errorf("the kind of key %q is not known", clean(k.kind))
}

// parseTags reads a list of tag=value (RFC 6376 section 3.2).
func parseTags(record string) (map[string]string, error) {
	if len(record) > maxRecord {
		return nil, fmt.Errorf("longer than %d octets", maxRecord)
	}
	tags := map[string]string{}
	for field := range strings.SplitSeq(record, ";") {
		if strings.TrimSpace(field) == "" {
			continue
		}
		name, value, ok := strings.Cut(field, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return nil, fmt.Errorf("%q is not written tag=value", clean(strings.TrimSpace(field)))
		}
		if _, twice := tags[name]; twice {
			return nil, fmt.Errorf("the tag %s= stands there twice", clean(name))
		}
		tags[name] = strings.TrimSpace(value)
	}
	return tags, nil
}

// The strength of RSA keys: below the first verifiers must not accept one, from
// the second on it is what RFC 8301 section 3.2 asks of signers.
const (
	leastBits = 1024
	goodBits  = 2048
)

// dkim looks for the key that belongs to the selector of the account.
func (v *visit) dkim() Step {
	s := Step{Name: NameDKIM, Target: v.domain(), Status: OK}
	if v.DKIMSelector == "" {
		s.Status = Info
		s.Detail = say("not looked at: no selector is configured (dkim_selector)", "未检查：没有配置选择器（dkim_selector）")
		return s
	}
	s.Target = v.DKIMSelector + "._domainkey." + v.domain()
	began := v.Now()
	texts, err := v.dns.LookupTXT(v.ctx, s.Target)
	s.Took = v.Now().Sub(began)
	if err != nil && !isNotFound(err) {
		return unanswered(s, err)
	}
	if len(texts) == 0 {
		return brokenKey(s, say("there is no key at %s", "%s 处没有公钥", s.Target))
	}
	s.Facts.Record = clean(texts[0])
	key, err := parseKey(texts[0])
	s.Facts.KeyType, s.Facts.KeyBits = key.kind, key.bits
	switch {
	case err != nil:
		return brokenKey(s, say("the key at %s can't be used: %v", "%s 处的公钥不可用：%v", s.Target, err))
	case key.revoked:
		return brokenKey(s, say("the key at %s was revoked", "%s 处的公钥已被吊销", s.Target))
	case key.kind == "rsa" && key.bits < leastBits:
		return brokenKey(s, say("the RSA key has %d bits, and receivers accept none below %d", "RSA 公钥只有 %d 位，收件方不接受低于 %d 位的密钥", key.bits, leastBits))
	case key.kind == "rsa" && key.bits < goodBits:
		s.Status, s.Detail = Warning, say("the RSA key has %d bits", "RSA 公钥只有 %d 位", key.bits)
		s.Advice = say("Make a DKIM key of %d bits and publish it under a new selector.", "请生成 %d 位的 DKIM 密钥，并以新的选择器发布。", goodBits)
	case key.testing:
		s.Status, s.Detail = Warning, say("the key is marked as being tested (t=y): receivers treat signed mail as unsigned", "公钥带有测试标记（t=y）：收件方会当作没有签名")
		s.Advice = say("Take t=y out of the record at %s.", "请从 %s 的记录中去掉 t=y。", s.Target)
	case key.kind == "rsa":
		s.Detail = say("RSA key of %d bits at %s", "%[2]s 处有 %[1]d 位 RSA 公钥", key.bits, s.Target)
	default:
		s.Detail = say("Ed25519 key at %s", "%s 处有 Ed25519 公钥", s.Target)
	}
	return s
}

func brokenKey(s Step, detail Text) Step {
	s.Status, s.Detail = Failed, detail
	s.Advice = say("Publish the public key of the signer as the TXT record %s, or correct the selector.",
		"请把签名方的公钥发布为 TXT 记录 %s，或更正选择器。", s.Target)
	return s
}
