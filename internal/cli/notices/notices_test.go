package notices_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/notices"
)

// The embedded file is what go generate writes for the program's current modules.
func TestNoticesAreOfTheBuildList(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to ask")
	}
	file := filepath.Join(t.TempDir(), "notices.txt")
	if out, err := exec.CommandContext(t.Context(), "go", "run", "./generate", "-o", file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if notices.Text() != string(want) {
		t.Error("notices.txt is not of this build list: go generate ./internal/cli/notices")
	}
}

// Each module of the list has a licence in the text.
func TestEveryModuleHasItsLicence(t *testing.T) {
	t.Parallel()
	list, licences, _ := strings.Cut(notices.Text(), "\n=====")
	modules := 0
	for line := range strings.Lines(list) {
		if name, ok := strings.CutPrefix(line, "  "); ok {
			modules++
			if !strings.Contains(licences, "\n"+name) {
				t.Errorf("%s has none", strings.TrimSpace(name))
			}
		}
	}
	for _, needed := range []string{"Permission is hereby granted", "Redistribution and use in source and binary forms", "Apache License", "The Go Authors"} {
		if !strings.Contains(licences, needed) {
			t.Errorf("no %q", needed)
		}
	}
	if modules < 40 {
		t.Errorf("only %d modules", modules)
	}
}
