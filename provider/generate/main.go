// Command generate writes provider/providers.jsonl and provider/index.go from
// provider/providers.yaml. It resolves {same_as: …}, copies the comments next to facts as their
// sources, and rejects entries that do not fit the types of package provider. Run it with `go
// generate ./provider`.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run("providers.yaml", "."); err != nil {
		fmt.Fprintln(os.Stderr, "provider/generate:", err)
		os.Exit(1)
	}
}

func run(source, folder string) error {
	in, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	files, err := Convert(in)
	if err != nil {
		return fmt.Errorf("convert %s: %w", source, err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Convert turns the YAML source into the package's files, by name.
func Convert(source []byte) (map[string][]byte, error) {
	facts, err := Read(source)
	if err != nil {
		return nil, err
	}
	documents, err := Documents(facts)
	if err != nil {
		return nil, fmt.Errorf("write the documents: %w", err)
	}
	index, err := Index(facts)
	if err != nil {
		return nil, fmt.Errorf("write the index: %w", err)
	}
	return map[string][]byte{"providers.jsonl": documents, "index.go": index}, nil
}
