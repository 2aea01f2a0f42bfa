package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/sandboxtest"
)

// hostile starts a TLS server whose certificate names hold terminal control sequences.
func hostile(t *testing.T) (address string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// Names in certificates are ASCII.
	ascii := strings.Map(func(r rune) rune {
		if r > 0x7f {
			return -1
		}
		return r
	}, clitest.Escapes)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{ascii}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, func(c net.Conn) {
		_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}).Handshake() // the client aborts the handshake
	})
}

// serve handles each connection until the test ends.
func serve(t *testing.T, answer func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			answer(c)
			_ = c.Close()
		}
	}()
	return "localhost:" + portOf(t, l.Addr().String()) // for an IP address, only the certificate's addresses would be named
}

// No name from a server, a proxy or a machine in between controls the terminal.
func TestNoEscapesReachTheTerminal(t *testing.T) {
	t.Parallel()
	evil := hostile(t)
	proxy := serve(t, func(c net.Conn) {
		buf := make([]byte, 4096)
		_, _ = c.Read(buf)
		_, _ = fmt.Fprintf(c, "HTTP/1.1 502 %s\r\n\r\n", strings.NewReplacer("\r", "", "\n", "").Replace(clitest.Escapes))
	})
	s := sandboxtest.Start(t, "qq", sandboxtest.WithAccount("me@qq.com", sandboxPassword))
	good := "smtps://" + s.TLSAddr()
	config := func(server, more string) string {
		return "version = 1\n[account.a]\nfrom = \"me@qq.com\"\nuser = \"me@qq.com\"\nserver = \"" + server + "\"\ntls_ca = \"" + filepath.ToSlash(s.CAFile()) + "\"\n" + more
	}
	code := "secret = { env = \"CODE\" }\n"
	tokens := "oauth2 = { client_id = \"id\", token_url = \"https://" + evil + "/t\", auth_url = \"https://" + evil + "/a\", device_url = \"https://" + evil + "/d\" }\n"
	tried := 0
	for name, c := range map[string]struct {
		config string
		args   []string
		ok     bool
	}{
		"send":             {config("smtps://"+evil, code), []string{"send", "-t", "a@qq.com", "-b", "x"}, false},
		"send --json":      {config("smtps://"+evil, code), []string{"send", "-t", "a@qq.com", "-b", "x", "--json"}, false},
		"send -v":          {config("smtps://"+evil, code), []string{"send", "-t", "a@qq.com", "-b", "x", "-v"}, false},
		"by a proxy":       {config(good, code), []string{"send", "-t", "a@qq.com", "-b", "x", "--proxy", "http://" + proxy}, false},
		"by a proxy, JSON": {config(good, code), []string{"send", "-t", "a@qq.com", "-b", "x", "--json", "--proxy", "http://" + proxy}, false},
		"account test":     {config("smtps://"+evil, code), []string{"account", "test"}, false},
		"login":            {"", []string{"login", "me@qq.com", "--from", "me@qq.com", "--server", "smtps://" + evil, "--secret-env", "CODE"}, false},
		"login, proxy":     {"", []string{"login", "me@qq.com", "--from", "me@qq.com", "--server", good, "--secret-env", "CODE", "--proxy", "http://" + proxy}, false},
		"doctor":           {config("smtps://"+evil, code), []string{"doctor", "a", "--dns", "127.0.0.1:1"}, false},
		"doctor, proxy":    {config(good, code), []string{"doctor", "a", "--dns", "127.0.0.1:1", "--proxy", "http://" + proxy}, false},
		"sent copy":        {config(good, code+"save_sent = \"always\"\nimap = \"imaps://"+evil+"\"\n"), []string{"send", "-t", "a@qq.com", "-b", "x"}, true},
		"tokens":           {config(good, tokens), []string{"send", "-t", "a@qq.com", "-b", "x"}, false},
		"consent":          {config(good, tokens), []string{"login", "a", "--oauth2", "device"}, false},
	} {
		d := newLoginDesk(t)
		d.writes(c.config)
		d.env["CODE"] = sandboxPassword
		if strings.Contains(c.config, "oauth2") {
			f, err := account.Load(d.env["YAN_CONFIG"])
			if err != nil {
				t.Fatal(err)
			}
			acc, _ := f.Account("a")
			if _, err := accounts.NewSecrets(&secret.Vault{Keyring: d.keyring}).KeepToken(t.Context(), acc, oauth.Token{Refresh: "r", Expiry: time.Unix(1, 0)}); err != nil {
				t.Fatal(err)
			}
		}
		exit, out, errs := d.yan(c.args...)
		if (exit == command.ExitOK) != c.ok {
			t.Errorf("%s: exit status %d\n%s%s", name, exit, out, errs)
		}
		all := out + errs
		if strings.Contains(all, "owned") {
			tried++
		}
		bad := func(r rune) bool { return r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }
		if i := strings.IndexFunc(all, bad); i >= 0 {
			t.Errorf("%s: %q", name, all[i:])
		}
		for line := range strings.Lines(all) {
			if strings.HasPrefix(line, "✓ sent ") {
				t.Errorf("%s: a line passes for one of ours: %q", name, all)
			}
		}
	}
	if tried < 8 {
		t.Errorf("only %d of the texts were printed", tried)
	}
}
