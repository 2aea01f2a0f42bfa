package settingsimport

import (
	"strings"
)

// muttWord is a word of mutt's lexer. A command in backticks is kept as text and never run.
type muttWord struct {
	text string
	// command is set if the word consists of the output of one command.
	command string
	// runs is set if a command is only part of the word.
	runs bool
	// long is set if variables made the word longer than maxValue.
	long bool
}

// maxValue bounds the length of values, in octets, since variables can contain variables.
const maxValue = 1 << 16

// muttLine reads the words of one line.
type muttLine struct {
	rest string
	// lookup returns the value of $name.
	lookup func(name string) muttWord
}

// extent says where a word ends.
type extent int

const (
	oneWord extent = iota // at white space
	oneName               // also at an =
	toEnd                 // at the end of the command; quotes are part of it
)

// nextWord reads a word; ok is false at the end of the command.
func (l *muttLine) nextWord(e extent) (w muttWord, ok bool) {
	l.rest = strings.TrimLeft(l.rest, " \t")
	if l.rest == "" || l.rest[0] == '#' || l.rest[0] == ';' {
		return muttWord{}, false
	}
	var (
		text  strings.Builder
		quote byte // 0, ' or "
		parts []muttWord
	)
	add := func(w muttWord) {
		if text.Len()+len(w.text) > maxValue {
			w = muttWord{long: true}
		}
		parts = append(parts, w)
		text.WriteString(w.text)
	}
	i := 0
scan:
	for i < len(l.rest) {
		c := l.rest[i]
		switch {
		case quote == 0 && (c == '#' || c == ';' || e != toEnd && (c == ' ' || c == '\t') || e == oneName && c == '='):
			break scan
		case quote == 0 && (c == '\'' || c == '"'), c == quote:
			if quote = c - quote; e == toEnd { // opens or closes
				text.WriteByte(c)
			}
			i++
		case c == '\\' && quote != '\'' && i+1 < len(l.rest):
			text.WriteString(unescapeChar(l.rest[i+1]))
			i += 2
		case c == '`' && quote != '\'':
			end := strings.IndexByte(l.rest[i+1:], '`')
			if end < 0 {
				end = len(l.rest) - i - 1
			}
			add(muttWord{command: l.rest[i+1 : i+1+end]})
			i += min(end+2, len(l.rest)-i)
		case c == '$' && quote != '\'':
			variable, n := variableAt(l.rest[i:])
			if n == 1 {
				text.WriteByte('$')
			} else {
				add(l.lookup(variable))
			}
			i += n
		default:
			text.WriteByte(c)
			i++
		}
	}
	l.rest = l.rest[i:]
	return joinWords(text.String(), parts), true
}

// joinWords returns a word with this text, made of parts.
func joinWords(text string, parts []muttWord) muttWord {
	w := muttWord{text: text}
	for _, p := range parts {
		w.long = w.long || p.long
		if len(parts) == 1 && text == "" && !p.runs {
			w.command = p.command
		} else if p.command != "" || p.runs {
			w.runs = true
		}
	}
	return w
}

func unescapeChar(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case 'r':
		return "\r"
	}
	return string(rune(c))
}

// variableAt parses $name or ${name}; n is its length, 1 if it is neither.
func variableAt(s string) (name string, n int) {
	if strings.HasPrefix(s, "${") {
		if end := strings.IndexByte(s, '}'); end > 2 {
			return s[2:end], end + 1
		}
		return "", 1
	}
	n = 1
	for n < len(s) && (isAlnum(s[n]) || s[n] == '_') {
		n++
	}
	return s[1:n], n
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// skipEquals consumes an = and a + before it.
func (l *muttLine) skipEquals() bool {
	rest := strings.TrimLeft(l.rest, " \t")
	rest = strings.TrimPrefix(rest, "+")
	if !strings.HasPrefix(rest, "=") {
		return false
	}
	l.rest = rest[1:]
	return true
}

// nextCommand moves to the next command of the line; it returns false if there is none.
func (l *muttLine) nextCommand() bool {
	l.rest = strings.TrimLeft(l.rest, " \t;")
	return l.rest != "" && l.rest[0] != '#'
}

// restOfCommand reads the remaining words of the command.
func (l *muttLine) restOfCommand() (words []muttWord) {
	for {
		w, ok := l.nextWord(oneWord)
		if !ok {
			return words
		}
		words = append(words, w)
	}
}

// logicalLines joins lines that end with a backslash; at is the number of the first line.
func logicalLines(text string, each func(at int, line string)) {
	var (
		joined strings.Builder
		at     int
		line   int
	)
	for raw := range strings.SplitSeq(text, "\n") {
		line++
		if joined.Len() == 0 {
			at = line
		}
		slashes := len(raw) - len(strings.TrimRight(raw, `\`))
		if slashes%2 == 1 {
			joined.WriteString(raw[:len(raw)-1])
			joined.WriteByte(' ')
			continue
		}
		joined.WriteString(raw)
		each(at, joined.String())
		joined.Reset()
	}
	if joined.Len() > 0 {
		each(at, joined.String())
	}
}
