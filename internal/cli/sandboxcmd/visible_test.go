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
