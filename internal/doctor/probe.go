package doctor

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// ehloProbe is the result of the first connection: everything up to EHLO, without a
// login.
type ehloProbe struct {
	tls      *tls.ConnectionState
	caps     smtp.Capabilities
	small    bool // the server accepted only a smaller ClientHello
	greeting smtp.Reply
	greeted  time.Time // when the greeting came, by the local clock
	// pipelines reports whether messages of a batch overlap on a connection.
	pipelines bool
}

// probeServer opens a connection, sends EHLO, and closes it. It has no credentials:
// they are read only after this has verified the server.
func (v *examSession) probeServer() *ehloProbe {
	w := v.watch()
	cfg, err := v.connConfig(w.event)
	if err != nil {
		v.failStep(Step{Name: NamePort, Target: v.hostPort(v.serverPort())}, &smtp.Error{Stage: smtp.StageConnect, Err: err})
		return nil
	}
	cfg.StopAfter = smtp.StageHello
	conn, err := smtpclient.Dial(v.ctx, cfg)
	if err != nil {
		v.reportFailedProbe(w, err)
		return nil
	}
	v.quitLater(conn)
	seen := &ehloProbe{tls: conn.TLS(), small: conn.SmallHello(), caps: conn.Capabilities(), greeting: conn.Greeting(), greeted: w.greeted,
		pipelines: conn.PipelinesMessages()}
	if v.Server.Security == smtpclient.STARTTLS {
		v.tellGreeting(w, seen.greeting)
		v.reportStep(helloStep(w.hello(0), false))
	}
	if seen.tls != nil {
		v.reportTLS(w, seen)
	}
	if v.Server.Security == smtpclient.STARTTLS {
		v.reportStep(helloStep(w.hello(1), true))
		return seen
	}
	v.tellGreeting(w, seen.greeting)
	v.reportStep(helloStep(w.hello(0), seen.tls != nil))
	if seen.tls == nil {
		v.reportStep(v.noTLS(seen.caps))
	}
	return seen
}

// noTLS reports the consequences of a connection without encryption.
func (v *examSession) noTLS(caps smtp.Capabilities) Step {
	s := Step{Name: NameTLS, Status: Info, Detail: say("this connection is not encrypted", "此连接没有加密")}
	if v.Server.LMTP || !caps.Has("STARTTLS") {
		return s
	}
	s.Status = Warning
	s.Detail = say("this connection is not encrypted, although the server offers STARTTLS", "此连接没有加密，而服务器支持 STARTTLS")
	s.Advice = say("Write smtp:// instead of smtp+notls://.", "请用 smtp:// 代替 smtp+notls://。")
	return s
}

// reportFailedProbe reports how far the connection got, and the error.
func (v *examSession) reportFailedProbe(w *traceWatcher, err error) {
	var at *smtp.Error
	if !errors.As(err, &at) {
		at = &smtp.Error{Stage: smtp.StageConnect, Err: err}
	}
	s := Step{Target: v.hostPort(v.serverPort()), Took: v.Now().Sub(w.latest())}
	starttls := v.Server.Security == smtpclient.STARTTLS
	if !starttls {
		v.reportHandshake(w)
	}
	if g := w.exchange(0).reply; at.Stage != smtp.StageGreeting && g.Positive() {
		v.tellGreeting(w, g)
	}
	if hello := w.hello(0); starttls && hello.reply.Positive() {
		v.reportStep(helloStep(hello, false))
		v.reportHandshake(w)
	}
	switch at.Stage {
	case smtp.StageConnect:
		s.Name = NamePort
	case smtp.StageTLS:
		s.Name = NameTLS
		var bad *tls.CertificateVerificationError
		if errors.As(err, &bad) {
			v.badCertificate(s, bad, err)
			return
		}
		if errors.Is(err, smtpclient.ErrPinMismatch) {
			s.Name = NameCertificate
		}
		s = v.wouldWork(s, err)
	case smtp.StageStartTLS:
		s.Name = NameTLS
	case smtp.StageGreeting:
		s.Name = NameGreeting
	default:
		s.Name = NameHello
	}
	v.failStep(s, err)
}

// reportHandshake reports a successful handshake after a later failure: of the
// certificate it knows only that it is valid.
func (v *examSession) reportHandshake(w *traceWatcher) {
	took, text := w.handshake()
	if text == "" {
		return
	}
	v.reportStep(Step{Name: NameTLS, Status: OK, Took: took, Detail: Text{EN: text, ZH: text}})
	v.reportStep(Step{Name: NameCertificate, Status: OK, Detail: say("verified", "验证通过")})
}

// badCertificate reports the problem, with the certificate's own names and
// dates.
func (v *examSession) badCertificate(s Step, bad *tls.CertificateVerificationError, err error) {
	v.reportStep(Step{Name: NameTLS, Target: s.Target, Status: Skipped, Detail: say("aborted because of the certificate", "因证书问题中止")})
	s.Name = NameCertificate
	if len(bad.UnverifiedCertificates) > 0 {
		cert := bad.UnverifiedCertificates[0]
		s.Facts = v.certificateFacts(cert)
		var invalid x509.CertificateInvalidError
		var name x509.HostnameError
		switch {
		case errors.As(err, &invalid) && invalid.Reason == x509.Expired && !v.Now().Before(cert.NotBefore):
			s.Detail = say("expired on %s (%s, issued by %s)", "已于 %s 过期（%s，由 %s 签发）", cert.NotAfter.Format(time.DateOnly), certificateNames(cert), issuerName(cert))
		case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
			s.Detail = say("not valid before %s (%s, issued by %s)", "%s 之后才生效（%s，由 %s 签发）", cert.NotBefore.Format(time.DateOnly), certificateNames(cert), issuerName(cert))
		case errors.As(err, &name) && len(cert.DNSNames)+len(cert.IPAddresses) == 0:
			s.Detail = say("it has no host names in subjectAltName; its subject is %s, issued by %s",
				"证书中有效的字段（subjectAltName）没有任何名称；其主体为 %s，由 %s 签发", certificateNames(cert), issuerName(cert))
			s.Advice = say("Ask its administrator for a certificate with host names; or use --tls-pin %s after comparing it with the administrator's.",
				"请联系管理员重新签发带有名称的证书；或与管理员核对指纹后使用 --tls-pin %s。", fingerprint(cert))
		case errors.As(err, &name) && net.ParseIP(v.Server.Host) != nil && len(cert.DNSNames) > 0:
			s.Detail = say("it is for %s, not for %s", "证书属于 %s，而不是 %s", certificateNames(cert), v.Server.Host)
			s.Advice = say("If this address belongs to that server, use --tls-name %s (key tls_name).", "如果这个地址就是该服务器：--tls-name %s（配置项 tls_name）。", cleanText(cert.DNSNames[0]))
		case errors.As(err, &name):
			s.Detail = say("it is for %s, not for %s", "证书属于 %s，而不是 %s", certificateNames(cert), v.Server.Host)
		default:
			s.Detail = say("issued by %s, which this machine does not trust (%s)", "由 %s 签发，本机不信任（%s）", issuerName(cert), certificateNames(cert))
			if alone := len(bad.UnverifiedCertificates) == 1 && !bytes.Equal(cert.RawIssuer, cert.RawSubject); alone {
				s.Detail = say("issued by %s, whose certificate the server does not send and this machine does not know (%s)",
					"由 %s 签发，但服务器没有发送颁发者的证书，本机也不认识它（%s）", issuerName(cert), certificateNames(cert))
			}
			s.Advice = v.pinAdvice(cert)
		}
	}
	v.failStep(s, err)
}

func (v *examSession) tellGreeting(w *traceWatcher, r smtp.Reply) {
	v.reportStep(Step{Name: NameGreeting, Status: OK, Took: w.exchange(0).wait, Detail: Text{EN: r.Text(), ZH: r.Text()}, Facts: StepFacts{Text: r.Text()}})
}

// reportTLS reports the encryption and the certificate.
func (v *examSession) reportTLS(w *traceWatcher, seen *ehloProbe) {
	state := seen.tls
	version, cipher := tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite)
	took, _ := w.handshake()
	s := Step{Name: NameTLS, Status: OK, Took: took, Facts: StepFacts{TLSVersion: version, Cipher: cipher},
		Detail: say("%s, %s", "%s，%s", version, cipher)}
	if v.Server.Security == smtpclient.STARTTLS {
		s.Detail = say("%s, %s, after STARTTLS", "%s，%s，经 STARTTLS 升级", version, cipher)
	}
	v.reportStep(v.keyExchange(s, w, seen))
	if len(state.PeerCertificates) > 0 {
		v.reportStep(v.checkCertificate(state.PeerCertificates))
	}
}

// keyExchange adds the weaknesses of the key exchange.
func (v *examSession) keyExchange(s Step, w *traceWatcher, seen *ehloProbe) Step {
	h := w.lastHandshake()
	s.Facts.KeyExchange, s.Facts.SmallHello = h.KeyExchange, seen.small
	switch {
	case h.NoForwardSecrecy:
		s.Status = Warning
		s.Detail = say("%s; RSA key exchange, without forward secrecy", "%s；RSA 密钥交换，没有前向保密", s.Detail)
		s.Advice = say("Ask the administrator of %s to allow ECDHE: with RSA key exchange a stolen server key decrypts recorded traffic.",
			"请联系 %s 的管理员启用 ECDHE：否则任何人拿到服务器私钥后，都能解密此前录下的连接。", v.Server.Host)
	case s.Facts.SmallHello:
		s.Detail = say("%s; only after a smaller ClientHello, without X25519MLKEM768", "%s；改用较小的 ClientHello（不含 X25519MLKEM768）之后才成功", s.Detail)
	}
	return s
}

// wouldWork finds a handshake that the server accepts after one has failed, and
// reports it: the cipher suite with an RSA key exchange. The certificate is
// verified there too.
func (v *examSession) wouldWork(s Step, err error) Step {
	var bad *tls.CertificateVerificationError
	if v.Options.RSAKeyExchange || errors.As(err, &bad) || errors.Is(err, smtpclient.ErrPinMismatch) || v.ctx.Err() != nil {
		return s
	}
	cfg, configErr := v.connConfig(nil)
	if configErr != nil {
		return s
	}
	cfg.Trust.RSAKeyExchange, cfg.StopAfter = true, smtp.StageHello
	conn, err := smtpclient.Dial(v.ctx, cfg)
	switch {
	case errors.As(err, &bad), errors.Is(err, smtpclient.ErrPinMismatch):
		s.Detail = say("the server supports only RSA key exchange, and its certificate is invalid too", "服务器只支持 RSA 密钥交换，证书也有问题")
		return s
	case err != nil:
		return s
	}
	defer v.quitLater(conn)
	suite := tls.CipherSuiteName(conn.TLS().CipherSuite)
	s.Facts.TLSVersion, s.Facts.Cipher, s.Facts.KeyExchange = tls.VersionName(conn.TLS().Version), suite, "RSA"
	s.Detail = say("the server supports only RSA key exchange (%s), without forward secrecy", "服务器只支持没有前向保密的 RSA 密钥交换（%s）", suite)
	s.Advice = say("Ask its administrator to allow ECDHE, or accept it with --tls-rsa-key-exchange (key tls_rsa_key_exchange = true).",
		"请联系其管理员启用 ECDHE；或就此接受：--tls-rsa-key-exchange（配置项 tls_rsa_key_exchange = true）。")
	return s
}

// soon is the number of days before its end by which a certificate should have
// been renewed: automatic renewal happens at a third of the time left, which is
// 30 days with the usual 90.
const soon = 14

// checkCertificate checks the leaf of a verified chain.
func (v *examSession) checkCertificate(chain []*x509.Certificate) Step {
	cert := chain[0]
	s := Step{Name: NameCertificate, Status: OK, Facts: v.certificateFacts(cert)}
	for _, c := range chain {
		s.Facts.Chain = append(s.Facts.Chain, issuerName(c))
	}
	left, until := *s.Facts.DaysLeft, cert.NotAfter.Format(time.DateOnly)
	how := say("verified", "验证通过")
	if v.Options.Pin != "" {
		how = say("matches the pin", "与指定指纹一致")
	}
	s.Detail = say("%s, issued by %s, %s, until %s (%d days)", "%s，由 %s 签发，%s，有效期至 %s（还有 %d 天）", certificateNames(cert), issuerName(cert), how, until, left)
	if cert.NotAfter.Before(v.Now()) { // only a pinned certificate can be expired here
		s.Status = Warning
		s.Detail = say("the certificate expired %d days ago, on %s: %s, issued by %s, %s", "证书已于 %[2]s 过期（%[1]d 天前）：%[3]s，由 %[4]s 签发，%[5]s", -left, until, certificateNames(cert), issuerName(cert), how)
		s.Advice = say("Ask the administrator of %s for a new one; until then yan checks your pin.", "请联系 %s 的管理员更换证书；在此之前仍以指纹为准。", v.Server.Host)
		return s
	}
	if left < soon {
		s.Status = Warning
		s.Detail = say("the certificate expires on %s, in %d days: %s, issued by %s, %s", "证书将于 %s 到期（还有 %d 天）：%s，由 %s 签发，%s", until, left, certificateNames(cert), issuerName(cert), how)
		s.Advice = say("Tell the administrator of %s that the certificate expires on %s: after that, sending fails.",
			"请告知 %s 的管理员：证书将于 %s 到期，届时将无法发信。", v.Server.Host, until)
	}
	return s
}

func (v *examSession) certificateFacts(cert *x509.Certificate) StepFacts {
	left := int(cert.NotAfter.Sub(v.Now()) / (24 * time.Hour))
	return StepFacts{Fingerprint: fingerprint(cert), Names: append(append([]string(nil), cert.DNSNames...), addresses(cert)...), Issuer: issuerName(cert),
		NotAfter: cert.NotAfter.UTC().Format(time.RFC3339), DaysLeft: &left}
}

func fingerprint(cert *x509.Certificate) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256(cert.Raw))
}

// pinAdvice is for the user's own server: a fingerprint must be compared with
// the administrator's, because anyone can present a certificate.
func (v *examSession) pinAdvice(cert *x509.Certificate) Text {
	return say("A public server needs its full chain (fullchain). For your own server use --tls-ca FILE, or --tls-pin %s after comparing it with its administrator's.",
		"公共服务器应配置完整的证书链（fullchain）。自建服务器请用 --tls-ca 文件；或与管理员核对指纹后使用 --tls-pin %s。", fingerprint(cert))
}

func addresses(cert *x509.Certificate) (list []string) {
	for _, ip := range cert.IPAddresses {
		list = append(list, ip.String())
	}
	return list
}

// certificateNames returns the certificate's first names, or its subject if it has none.
// They come from the server and are untrusted.
func certificateNames(cert *x509.Certificate) Text {
	all := append(append([]string(nil), cert.DNSNames...), addresses(cert)...)
	if len(all) == 0 {
		return listText([]string{cleanText(cert.Subject.CommonName)})
	}
	const shown = 3
	if len(all) > shown {
		all = append(all[:shown:shown], "…")
	}
	return listText(cleanAll(all))
}

func issuerName(cert *x509.Certificate) string {
	if cert.Issuer.CommonName != "" {
		return cleanText(cert.Issuer.CommonName)
	}
	return cleanText(cert.Issuer.String())
}

// cleanAll applies clean to each string.
func cleanAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = cleanText(s)
	}
	return out
}

// cleanText makes foreign text safe for one line of a terminal.
func cleanText(s string) string {
	s = smtp.DecodeText([]byte(s))
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return s
}

func helloStep(x commandReply, encrypted bool) Step {
	caps := smtp.ParseCapabilities(x.reply)
	s := Step{Name: NameHello, Status: OK, Took: x.wait, Facts: StepFacts{Encrypted: encrypted, Extensions: caps.Keywords()}}
	list := listText(s.Facts.Extensions)
	switch {
	case list.EN == "":
		s.Status, s.Detail = Info, say("the server offers no extensions", "服务器不提供任何扩展")
	case encrypted:
		s.Detail = say("%s", "%s", list)
	default:
		s.Detail = say("%s (not encrypted)", "%s（未加密）", list)
	}
	return s
}

// quitLater sends QUIT in the background: nothing depends on the reply. With a
// trace it waits, so that conversations don't mix.
func (v *examSession) quitLater(conn *smtpclient.Conn) {
	if v.Options.Trace != nil {
		conn.Quit(v.ctx)
		return
	}
	v.leaving.Go(func() { conn.Quit(v.ctx) })
}
