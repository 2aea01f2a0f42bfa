package command

import (
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/transport"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	list := []string{"send", "sandbox", "subject", "password", "to"}
	for word, want := range map[string]string{"sned": "send", "sandbx": "sandbox", "subjct": "subject", "xyz": "", "": "", "passwort": "password"} {
		if got := NearestWord(word, list); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestDecodeText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", "\ufeffbom": "bom", "\xff\xfeh\x00i\x00": "hi", "\xfe\xff\x00h\x00i": "hi",
		"\xff\xfe\x60\x4f": "你", "\xfc": "\xfc", "": "",
	} {
		if got := decodeText([]byte(in)); got != want {
			t.Errorf("decodeText(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWorse(t *testing.T) {
	t.Parallel()
	inOrder := []int{ExitOK, ExitTemporary, ExitData, ExitNoUser, ExitUnavailable, ExitIO, ExitProtocol, ExitAuth, ExitPartial, ExitUnknown}
	for i, a := range inOrder {
		for j, b := range inOrder {
			if got := WorseStatus(a, b); got != inOrder[max(i, j)] {
				t.Errorf("worse(%d, %d) = %d", a, b, got)
			}
		}
	}
}

// The forms of a server in the help are those that transport supports.
func TestServerFormsAreThoseOfTransport(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp(i18n.English)
	var listed []string
	for _, e := range a.ServerForms().Entries[1:] {
		listed = append(listed, e.Term)
	}
	var known []string
	for _, s := range transport.Schemes() {
		known = append(known, strings.Fields(s)[0])
	}
	if !slices.Equal(listed, known) {
		t.Errorf("the help lists %q, transport knows %q", listed, known)
	}
}

func TestExamplesFitTheShell(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp(i18n.English)
	if got, want := a.WithVariable("A", "b", "yan send"), "A=b yan send"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	a.Windows = true
	if got, want := a.WithVariable("A", "b", "yan send"), `$env:A="b"; yan send`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRoffEscapes(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp(i18n.English)
	for in, want := range map[string]string{".TH x": `\&.TH x`, "'x": `\(aqx`, `a\b`: `a\eb`, "--to": `\-\-to`, "a.b": "a.b"} {
		if got := (roff{a}).line(in); got != want {
			t.Errorf("line(%q) = %q, want %q", in, got, want)
		}
	}
}
