// Words measures the English of the project, and fails if it has become worse. Run by
// make lint:
//
//	cd tools && go run ./words            compare with words/figures.txt
//	cd tools && go run ./words -write     lower the figures to what is measured now
//	cd tools && go run ./words -list      print the places that count
//
// It counts, per 1,000 words of the comments, of the documents and of the sentences that
// the program prints, four habits that make a text hard to read: "what" as a subject or
// object without a noun ("closes what it opened"), "nobody" and "whoever" for a worker, a
// caller or a recipient, "behind" for "after", and a few phrases. It also measures how many
// functions have a name of one word, and how many types share their name with a type of
// another package. A figure may fall, and may move below its goal; it may not rise.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	write := flag.Bool("write", false, "write the figures that have fallen")
	list := flag.Bool("list", false, "print the sentences that count")
	root := flag.String("root", "..", "the top of the project")
	flag.Parse()
	if err := run(os.Stdout, *root, *write, *list); err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, root string, write, list bool) error {
	project, err := measure(root)
	if err != nil {
		return err
	}
	if list {
		project.list(out)
	}
	file := filepath.Join(root, "tools", "words", "figures.txt")
	source, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	kept, err := parseFigures(string(source))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	measured := project.figures()
	rose := compare(out, kept, measured)
	if write {
		return os.WriteFile(file, []byte(format(lower(kept, measured))), 0o644)
	}
	if rose > 0 {
		return fmt.Errorf("%d figures are higher than in tools/words/figures.txt; -list shows the places", rose)
	}
	return nil
}
