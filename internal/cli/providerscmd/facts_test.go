package providerscmd

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/provider"
)

// The shown facts are in the user's language, without words of the data file
// and without the maintainers' notes.
func TestProvidersAsShown(t *testing.T) {
	t.Parallel()
	token := regexp.MustCompile(`\{|\b[a-z0-9]+_[a-z0-9_]+\b|implicit|starttls|unverified|ispdb|第三方说法|OAuth2\b|应用密码|账户安全`)
	all := provider.All()
	if len(all) < 40 {
		t.Fatalf("%d providers", len(all))
	}
	for _, lang := range []i18n.Language{i18n.English, i18n.Chinese} {
		a, out, _ := testApp(lang)
		for _, p := range all {
			out.Reset()
			if err := a.showProvider(p.ID, false); err != nil {
				t.Fatal(err)
			}
			_, shown, _ := strings.Cut(out.String(), "\n")
			if found := token.FindString(regexp.MustCompile(`https?://\S+`).ReplaceAllString(shown, "")); found != "" {
				t.Errorf("%s in %s shows %q:\n%s", p.ID, lang, found, shown)
			}
			for _, note := range append(p.Quirks, p.Auth.Notes...) {
				if strings.Contains(shown, note) {
					t.Errorf("%s in %s shows the note %q", p.ID, lang, note)
				}
			}
		}
		out.Reset()
		for _, id := range []string{"qq", "netease_vip", "gmail", "outlook", "office365", "ses"} {
			if err := a.showProvider(id, false); err != nil {
				t.Fatal(err)
			}
		}
		clitest.Golden(t, filepath.Join("testdata", "providers", string(lang)+".txt"), out.String())
	}
}
