package sandbox

import (
	"fmt"
	"slices"
	"strings"
)

// softwareStyle is the greeting and the EHLO reply of some server software.
type softwareStyle struct {
	greeting, hello string
	keywords        string // in the software's order; only those that the profile offers are listed
}

// softwareStyles lists the values of Config.Software.
func softwareStyles() map[string]softwareStyle {
	return map[string]softwareStyle{
		"postfix": {"220 {host} ESMTP Postfix", "{host}",
			"PIPELINING SIZE STARTTLS AUTH ENHANCEDSTATUSCODES 8BITMIME DSN SMTPUTF8 CHUNKING"},
		"exim": {"220 {host} ESMTP Exim 4.96 {date}", "{host} Hello {name} [{ip}]",
			"SIZE 8BITMIME DSN PIPELINING AUTH CHUNKING STARTTLS SMTPUTF8 HELP"},
		"go-smtp": {"220 {host} ESMTP Service Ready", "Hello {name}",
			"PIPELINING 8BITMIME ENHANCEDSTATUSCODES CHUNKING STARTTLS AUTH SMTPUTF8 BINARYMIME DSN SIZE"},
	}
}

func checkSoftware(name string) error {
	if _, ok := softwareStyles()[name]; name != "" && !ok {
		return fmt.Errorf("no software %q", name)
	}
	return nil
}

// withSoftware returns the profile with the greeting and EHLO reply of that
// software.
func (p profile) withSoftware(name string) profile {
	g, ok := softwareStyles()[name]
	if !ok {
		return p
	}
	p.words.greeting = g.greeting
	p.before, p.after = g.sortLines(p.before), g.sortLines(p.after)
	return p
}

// sortLines sorts the lines of an EHLO reply in the order of the software.
func (g softwareStyle) sortLines(listed []string) []string {
	lines := []string{g.hello}
	for keyword := range strings.FieldsSeq(g.keywords) {
		i := slices.IndexFunc(listed, func(line string) bool {
			word, _, _ := strings.Cut(line, " ")
			return word == keyword
		})
		switch {
		case i > 0:
			lines = append(lines, listed[i])
		case keyword == "HELP":
			lines = append(lines, keyword)
		}
	}
	return lines
}
