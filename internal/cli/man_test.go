package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/command"
)

// The manual pages have the usual sections, can be read on an ASCII terminal, and are accepted by
// two independent programs.
func TestManualPagesForOtherPrograms(t *testing.T) {
	t.Parallel()
	for lang, sections := range map[string][]string{
		"en": {"NAME", "SYNOPSIS", "DESCRIPTION", "FILES", "SEE ALSO"},
		"zh": {"名称", "用法", "说明", "文件", "另见"},
	} {
		dir := filepath.Join(t.TempDir(), lang)
		if code, _, errs := run(t.Context(), nil, "--lang", lang, "man", "--dir", dir); code != command.ExitOK {
			t.Fatal(errs)
		}
		pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
		if err != nil || len(pages) < 30 {
			t.Fatalf("%d pages, %v", len(pages), err)
		}
		for _, page := range pages {
			text := readPage(t, page)
			at := 0
			for _, section := range sections {
				i := strings.Index(text[at:], ".SH \""+section+"\"\n")
				if i < 0 {
					t.Errorf("%s: no section %s after the one before it", page, section)
					break
				}
				at += i
			}
			if lang == "en" {
				if i := strings.IndexFunc(text, func(r rune) bool { return r > '~' }); i >= 0 {
					t.Errorf("%s: no ASCII: %q", page, text[i:min(len(text), i+20)])
				}
			}
		}
		if mandoc, err := exec.LookPath("mandoc"); err == nil {
			level := "-Wstyle"
			if lang == "zh" { // Chinese lines can't be split: a line end becomes a blank
				level = "-Wwarning"
			}
			if out, err := exec.CommandContext(t.Context(), mandoc, append([]string{"-Tlint", level}, pages...)...).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("mandoc: %v\n%.2000s", err, out)
			}
		}
		if groff, err := exec.LookPath("groff"); err == nil && lang == "en" {
			cmd := exec.CommandContext(t.Context(), groff, append([]string{"-man", "-ww", "-Tascii", "-z"}, pages...)...)
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("groff: %v\n%.2000s", err, out)
			}
		}
	}
}

func readPage(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
