package account_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/yanmail/yan/account"
)

// TestConfigurationIsDocumented compares the documents, in both languages, with the keys that are
// read, and parses their examples.
func TestConfigurationIsDocumented(t *testing.T) {
	t.Parallel()
	keys := account.KnownKeys()
	if len(keys) < 30 {
		t.Fatalf("found only %d keys; is the search broken?", len(keys))
	}
	for _, name := range []string{"config.md", "config.zh-CN.md"} {
		b, err := os.ReadFile(filepath.Join("..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		for _, key := range keys {
			if !regexp.MustCompile("[`\\[., ]" + key + "[` =.\\]]").MatchString(text) {
				t.Errorf("%s: %s is missing", name, key)
			}
		}
		rows := regexp.MustCompile("(?m)^\\| `([a-z_0-9]+)(?:`| =)").FindAllStringSubmatch(text, -1)
		if len(rows) < 25 {
			t.Errorf("%s: found only %d rows", name, len(rows))
		}
		for _, row := range rows {
			if !strings.Contains(" "+strings.Join(keys, " ")+" ", " "+row[1]+" ") {
				t.Errorf("%s: %s is not read", name, row[1])
			}
		}
		examples := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(text, -1)
		if len(examples) == 0 {
			t.Errorf("%s: no example", name)
		}
		for _, example := range examples {
			if _, err := account.Parse(name, []byte(example[1])); err != nil {
				t.Errorf("%s: the example can't be read: %v", name, err)
			}
		}
	}
}

// Every whole configuration in a document can be read.
func TestConfigurationsInTheDocuments(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(b), "\r\n", "\n")
		for _, example := range regexp.MustCompile("(?s)```toml\n(version = .*?)```").FindAllStringSubmatch(text, -1) {
			checked++
			if _, err := account.Parse(name, []byte(example[1])); err != nil {
				t.Errorf("%s: %v in\n%s", name, err, example[1])
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d configurations were found", checked)
	}
}
