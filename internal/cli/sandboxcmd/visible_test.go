package sandboxcmd

import (
	"strings"
	"testing"
	"unicode"

	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/sandbox"
)

// A message that the sandbox shows can't control the terminal.
func TestNoControlsOfAReceivedMessage(t *testing.T) {
	t.Parallel()
	a, out, _ := testApp("en")
	a.StdoutWidth = 80
	a.showMessage(&sandboxFlags{}, sandbox.Message{Data: []byte("From: me@example.org\r\nSubject: =?UTF-8?q?=1B[31mred=0D=0Anext=07?=\r\n\r\n" + clitest.Escapes + "\r\n")})
	bad := func(r rune) bool {
		return r != '\n' && r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}
	if i := strings.IndexFunc(out.String(), bad); i >= 0 || !strings.Contains(out.String(), "red") {
		t.Errorf("%q", out)
	}
}

// The start screen uses the provider's own name for its secret.
func TestStartScreenNamesTheSecret(t *testing.T) {
	t.Parallel()
	for profile, want := range map[string]string{"qq": "授权码 ", "netease": "授权码 ", "gmail": "密码 ", sandbox.Plain: "密码 "} {
		server, err := sandbox.Start(sandbox.Config{Profile: profile})
		if err != nil {
			t.Fatal(err)
		}
		a, out, _ := testApp("zh")
		a.announceReady(&sandboxFlags{profile: profile}, server, clientInfo{ca: "ca.pem", login: "me@example.org"})
		_ = server.Close()
		if !strings.Contains(out.String(), "\n  "+want) {
			t.Errorf("%s: no line starts with %q:\n%s", profile, want, out)
		}
	}
}
