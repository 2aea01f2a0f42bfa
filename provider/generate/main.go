// Command generate writes provider/providers.json from provider/providers.yaml.
// It resolves {same_as: …}, carries the comments beside the facts over as
// sources, and refuses what does not fit the types of package provider. It is
// run by `go generate ./provider`, in that folder.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run("providers.yaml", "providers.json"); err != nil {
		fmt.Fprintln(os.Stderr, "provider/generate:", err)
		os.Exit(1)
	}
}

func run(source, target string) error {
	in, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	out, err := Convert(in)
	if err != nil {
		return fmt.Errorf("convert %s: %w", source, err)
	}
	return os.WriteFile(target, out, 0o644)
}
