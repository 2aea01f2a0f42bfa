package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestFilesAreCurrent fails if providers.yaml was changed without `go generate ./provider`.
func TestFilesAreCurrent(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../providers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files, err := Convert(source)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, []string{"index.go", "providers.jsonl"}) {
		t.Fatalf("Convert writes %q", got)
	}
	again, err := Convert(source)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s does not follow from providers.yaml: run `go generate ./provider`", name)
		}
		if !bytes.Equal(again[name], want) {
			t.Errorf("a second run writes a different %s", name)
		}
	}
}

func TestRunWritesTheFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := run("../providers.yaml", folder); err != nil {
		t.Fatal(err)
	}
	for name, head := range map[string]string{"providers.jsonl": `{"id":`, "index.go": "// Code generated "} {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || !bytes.HasPrefix(b, []byte(head)) {
			t.Errorf("%s: wrote %.40q, %v", name, b, err)
		}
	}
	if err := run("no such file", folder); err == nil {
		t.Error("a missing source is no error")
	}
}
