// Walk counts how often one "yan send" moves from one source file to another, in the packages of
// the command and of package sending. A reader who follows the command opens these files in this
// order.
//
//	cd tools && go run ./walk            print the figures and the files
//	cd tools && go run ./walk -list      print every function that is entered, too
//
// It builds the program with a call at the start of each function that has a name, and sends one
// message with one attachment from an account to a sandbox, over TLS and with a login. Functions
// that "yan version" enters, too, belong to the start of the program and do not count.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
)

func main() {
	list := flag.Bool("list", false, "print every function that is entered")
	root := flag.String("root", "..", "the top of the project")
	flag.Parse()
	if err := run(os.Stdout, *root, *list); err != nil {
		fmt.Fprintln(os.Stderr, "walk:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, root string, list bool) error {
	dir, err := os.MkdirTemp("", "walk")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // the system removes the rest
	p := &program{dir: dir}
	if err := p.build(root); err != nil {
		return err
	}
	start, err := p.entries("version")
	if err != nil {
		return err
	}
	sent, err := p.sendOne()
	if err != nil {
		return err
	}
	print(out, without(sent, start), list)
	return nil
}

// without returns the entries of functions that do not occur in other.
func without(all, other []entry) []entry {
	return slices.DeleteFunc(slices.Clone(all), func(e entry) bool { return slices.Contains(other, e) })
}

// print prints how often the file changes, and each file with its first function and the number of
// times that the walk comes to it.
func print(out io.Writer, walk []entry, list bool) {
	var files []string
	visits, last := map[string]int{}, ""
	for _, e := range walk {
		if e.file != last {
			if visits[e.file] == 0 {
				files = append(files, e.file)
			}
			visits[e.file]++
			if list {
				_, _ = fmt.Fprintln(out, e.file)
			}
		}
		if last = e.file; list {
			_, _ = fmt.Fprintln(out, "   ", e.function)
		}
	}
	total := 0
	for _, file := range files {
		_, _ = fmt.Fprintf(out, "%4d  %s\n", visits[file], file)
		total += visits[file]
	}
	_, _ = fmt.Fprintf(out, "%4d  changes of file over %d files\n", total, len(files))
}
