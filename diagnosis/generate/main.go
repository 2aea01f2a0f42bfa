// Command generate writes internal/replytable/replytable.json from replies.yaml and classes.yaml.
// It fills in the defaults documented at the heads of those files, and refuses words unknown to
// package diagnosis. `go generate ./diagnosis` runs it in that folder.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run("classes.yaml", "replies.yaml", "../internal/replytable/replytable.json"); err != nil {
		fmt.Fprintln(os.Stderr, "diagnosis/generate:", err)
		os.Exit(1)
	}
}

func run(classes, replies, target string) error {
	classesYAML, err := os.ReadFile(classes)
	if err != nil {
		return err
	}
	repliesYAML, err := os.ReadFile(replies)
	if err != nil {
		return err
	}
	out, err := Convert(classesYAML, repliesYAML)
	if err != nil {
		return err
	}
	return os.WriteFile(target, out, 0o644)
}
