package daemon

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Every path and field that the socket returns is documented in both languages.
func TestDocumented(t *testing.T) {
	t.Parallel()
	words := []string{pathStatus, pathWake, pathReload, pathHealth, pathReady, DefaultGrace.String()[:2]}
	status := reflect.TypeFor[StatusReply]()
	for i := range status.NumField() {
		name, _, _ := strings.Cut(status.Field(i).Tag.Get("json"), ",")
		words = append(words, "`"+name+"`")
	}
	if len(words) < 15 {
		t.Fatalf("only %d words", len(words))
	}
	for _, file := range []string{"serve.md", "serve.zh-CN.md"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "docs", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words {
			if !strings.Contains(string(b), word) {
				t.Errorf("%s does not have %s", file, word)
			}
		}
	}
}
