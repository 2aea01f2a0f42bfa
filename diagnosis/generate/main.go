// Command generate writes internal/replytable/replytable.json from replies.yaml and
// classes.yaml. It fills in what the heads of those files call defaults, and
// refuses words that package diagnosis does not know. It is run by
// `go generate ./diagnosis`, in that folder.
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
