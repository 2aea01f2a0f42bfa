package provider_test

import (
	"testing"
	"unicode"

	"github.com/yanmail/yan/provider"
)

// Every white space and format character of Unicode is removed, inside an app password and around
// it.
func TestPastedSecret(t *testing.T) {
	t.Parallel()
	gmail, ok := provider.ByID("gmail")
	if !ok || !gmail.JoinsSecret() {
		t.Fatal("Gmail shows its app passwords in groups")
	}
	spaces, formats := 0, 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		space, format := unicode.Is(unicode.White_Space, r), unicode.Is(unicode.Cf, r)
		if !space && !format {
			continue
		}
		if space {
			spaces++
		} else {
			formats++
		}
		s := string(r)
		if got := gmail.Secret(s + "abcd" + s + "efgh" + s + s + "ijkl" + s); got != "abcdefghijkl" {
			t.Errorf("%U: %q", r, got)
		}
	}
	if spaces != 25 || formats < 150 {
		t.Errorf("%d spaces and %d format characters", spaces, formats)
	}
	for _, r := range []rune{0x034f, 0x115f, 0x1160, 0x17b4, 0x180b, 0x3164, 0xffa0, 0xfe0f} {
		if got := gmail.Secret("ab" + string(r) + "cd"); got != "abcd" {
			t.Errorf("%U: %q", r, got)
		}
	}
	if got := gmail.Secret("aé授-_.!~"); got != "aé授-_.!~" {
		t.Errorf("got %q", got)
	}
	// A private server may have any password.
	if got := (provider.Provider{}).Secret("a\u00a0b c\u200d"); got != "a\u00a0b c\u200d" {
		t.Errorf("a private server's: %q", got)
	}
}

func TestSecretThatLooksWrong(t *testing.T) {
	t.Parallel()
	qq, _ := provider.ByID("qq")
	for secret, wrong := range map[string]bool{"abcdefghijklmnop": false, "ABCDefghijklmnop": false, "hunter2": true,
		"abcdefghijklmno1": true, "abcdefghijklmnopq": true, "abcdefghijklmno授": true} {
		if got := qq.LooksWrong(secret); got != wrong {
			t.Errorf("%s: %v", secret, got)
		}
	}
	if (provider.Provider{}).LooksWrong("hunter2") {
		t.Error("LooksWrong is true for a private server")
	}
}
