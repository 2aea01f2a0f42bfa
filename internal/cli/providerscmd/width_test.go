package providerscmd

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/provider"
)

// The facts of every provider fit terminals of 60 and 80 columns, in both
// languages; a URL is not broken.
func TestProvidersFitTheTerminal(t *testing.T) {
	t.Parallel()
	for _, lang := range []i18n.Language{i18n.English, i18n.Chinese} {
		for _, width := range []int{60, 80} {
			for _, p := range provider.All() {
				a, out, _ := testApp(lang)
				a.StdoutWidth = width
				if err := a.showProvider(p.ID, false); err != nil {
					t.Fatal(err)
				}
				for line := range strings.Lines(out.String()) {
					line = strings.TrimRight(line, "\n")
					if console.Columns(line) > width && !strings.Contains(line, "://") {
						t.Errorf("%s, %s, %d columns: %q", p.ID, lang, width, line)
					}
				}
			}
		}
	}
}
