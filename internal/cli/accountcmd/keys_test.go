package accountcmd

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/account"
)

// Every key of an account, as the type that reads them has it, can be shown as
// inherited from the defaults; but the address, which no default can give.
func TestEveryKeyIsShownAsInherited(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join("..", "..", "..", "account", "settings.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(strings.ReplaceAll(string(source), "\r\n", "\n"), "\ntype settings struct {\n")
	body, _, _ := strings.Cut(after, "\n}\n")
	keys := regexp.MustCompile("`toml:\"([a-z_0-9]+)\"`").FindAllStringSubmatch(body, -1)
	if len(keys) < 30 {
		t.Fatalf("found %d keys", len(keys))
	}
	shown := keyTexts(account.Account{})
	for _, key := range keys {
		if key[1] != "from" && !slices.ContainsFunc(shown, func(k keyText) bool { return k.key == key[1] }) {
			t.Errorf("%s is never shown as inherited", key[1])
		}
	}
}
