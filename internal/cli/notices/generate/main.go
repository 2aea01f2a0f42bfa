// Command generate collects the licences of the modules that the command yan is built
// from, on all systems for which it is released, into one file.
package main

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// systems have different modules for the same purpose, like the keyring.
var systems = []string{"linux", "windows", "darwin"}

// module is one that is linked.
type module struct{ path, version, dir string }

func main() {
	out := flag.String("o", "", "the file to write")
	flag.Parse()
	log.SetFlags(0)
	text, err := collect()
	if err == nil {
		err = os.WriteFile(*out, text, 0o644)
	}
	if err != nil {
		log.Fatal("notices: ", err)
	}
}

// licence is a text with the modules that are under it.
type licence struct {
	modules []string
	text    string
}

func collect() ([]byte, error) {
	modules, err := linked()
	if err != nil {
		return nil, err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	modules = append(modules, module{path: "go", version: "(standard library and runtime)", dir: strings.TrimSpace(string(root))})
	var b bytes.Buffer
	b.WriteString("Yan is under the Apache License, Version 2.0. The program contains these modules, whose licences follow.\n\n")
	var licences []*licence
	for _, m := range modules {
		name := m.path + " " + m.version
		fmt.Fprintf(&b, "  %s\n", name)
		files, err := licenceFiles(m.dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			text := tidy(string(content))
			at := slices.IndexFunc(licences, func(l *licence) bool { return l.text == text })
			if at < 0 {
				at = len(licences)
				licences = append(licences, &licence{text: text})
			}
			if l := licences[at]; !slices.Contains(l.modules, name) {
				l.modules = append(l.modules, name)
			}
		}
	}
	for _, l := range licences {
		fmt.Fprintf(&b, "\n%s\n", strings.Repeat("=", 72))
		for _, name := range l.modules {
			fmt.Fprintf(&b, "%s\n", name)
		}
		fmt.Fprintf(&b, "%s\n\n%s\n", strings.Repeat("-", 72), l.text)
	}
	return b.Bytes(), nil
}

// tidy makes texts that differ by blanks the same.
func tidy(text string) string {
	var lines []string
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		lines = append(lines, strings.TrimRight(line, " \t\r\n"))
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// linked are the modules whose packages the command imports, by path.
func linked() ([]module, error) {
	var all []module
	for _, system := range systems {
		list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}", "github.com/yanmail/yan/cmd/yan")
		list.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
		list.Stderr = os.Stderr
		out, err := list.Output()
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(out)) {
			parts := strings.Split(strings.TrimSpace(line), "\t")
			if len(parts) != 3 {
				continue
			}
			if m := (module{parts[0], parts[1], parts[2]}); !slices.Contains(all, m) {
				all = append(all, m)
			}
		}
	}
	slices.SortFunc(all, func(a, b module) int { return cmp.Compare(a.path, b.path) })
	return all, nil
}

// licenceFiles are those at the top of a module, which hold for all of it.
func licenceFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		for _, word := range []string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "PATENTS"} {
			if strings.HasPrefix(name, word) && e.Type()&fs.ModeType == 0 && !strings.HasSuffix(name, ".GO") {
				files = append(files, filepath.Join(dir, e.Name()))
			}
		}
	}
	if len(files) == 0 {
		return nil, errors.New("no licence at the top of the module")
	}
	return files, nil
}
