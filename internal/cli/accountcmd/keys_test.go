package accountcmd

import (
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/i18n"
)

// Every key with a label has a row in both languages, and every other key belongs to the row of a
// key with a label.
func TestEveryKeyHasARow(t *testing.T) {
	t.Parallel()
	f, err := account.Parse("config.toml", []byte("version = 1\n\n[account.a]\nfrom = \"a@example.com\"\nserver = \"smtps://smtp.example.com\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	acc, _ := f.Account("a")
	v := viewOf(f, acc)
	together := []string{"tls_key", "sent_folder"}
	labels := 0
	for _, lang := range []i18n.Language{i18n.English, i18n.Chinese} {
		a, _, _ := testApp(lang)
		rows := a.accountRows(f, v, secretState{})
		for _, s := range v.settings {
			_, with := a.shownAs(v, s, secretState{})
			together = append(together, with...)
			if s.Label == (account.Label{}) {
				continue
			}
			labels++
			if label := a.ChooseText(s.Label.EN, s.Label.ZH); label == "" || !slices.ContainsFunc(rows, func(row [2]string) bool { return row[0] == label }) {
				t.Errorf("%s has no row %q in %s", s.Key, label, lang)
			}
			if strings.TrimSpace(s.Label.EN) == "" || strings.TrimSpace(s.Label.ZH) == "" {
				t.Errorf("%s has no label in one language: %+v", s.Key, s.Label)
			}
		}
	}
	for _, s := range v.settings {
		if s.Label == (account.Label{}) && !slices.Contains(together, s.Key) {
			t.Errorf("%s is shown nowhere", s.Key)
		}
	}
	if labels < 40 {
		t.Errorf("found %d labels only", labels)
	}
}
