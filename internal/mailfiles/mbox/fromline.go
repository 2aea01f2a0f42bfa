package mbox

import (
	"bytes"
	"strings"
)

// IsFromLine reports whether a line is a From_ line. "From : a@b" is an obsolete but valid header
// field.
func IsFromLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) && !isField(line)
}

// IsQuoted reports whether a line is a From_ line with one or more ">" before it.
func IsQuoted(line []byte) bool {
	rest := bytes.TrimLeft(line, ">")
	return len(rest) < len(line) && bytes.HasPrefix(rest, []byte("From "))
}

// isField reports whether a line begins a header field.
func isField(line []byte) bool {
	name, _, ok := cutField(line)
	return ok && len(name) > 0
}

func cutField(line []byte) (name, value []byte, ok bool) {
	name, value, ok = bytes.Cut(line, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	hidden := func(r rune) bool { return r <= ' ' || r > '~' }
	return name, value, ok && len(name) > 0 && !bytes.ContainsFunc(name, hidden)
}

// lineShape describes the form of a From_ line: the fields of its date in their order or, without a
// date, the number of words and whether the first is an address. Two lines of one program have the
// same shape.
//
// QUIRK: git format-patch writes the hash of the commit and a constant date. Such a line has a
// shape of its own, because patches are quoted in mail.
func lineShape(line []byte) string {
	words := strings.Fields(string(line[len("From "):]))
	if isGit(words) {
		return "git"
	}
	var date []byte
	for i, word := range words {
		kind := kindOf(word)
		switch {
		case kind == 0 && len(date) == 0, kind == 'z':
		case len(date) == 0 && (i == 0 || kind != 'w' && kind != 'i' && kind != 'd'):
			// A date begins with a weekday, a day or an ISO date, after the sender.
		case kind == 0: // "remote from host", or the name of a time zone
		default:
			date = append(date, kind)
		}
	}
	if len(date) > 1 || len(date) == 1 && date[0] == 'i' {
		return string(date)
	}
	address := "-"
	if len(words) > 0 && strings.Contains(words[0], "@") {
		address = "@"
	}
	return address + strings.Repeat("x", min(len(words), 9))
}

// isDated reports whether the shape is one that a line of text is unlikely to have.
func isDated(shape string) bool { return shape[0] != '-' }

func isGit(words []string) bool {
	return len(words) == 6 && (len(words[0]) == 40 || len(words[0]) == 64) && strings.Trim(words[0], "0123456789abcdef") == "" &&
		strings.Join(words[1:], " ") == "Mon Sep 17 00:00:00 2001"
}

// kindOf returns the kind of a word in a date; 0 if it is none.
func kindOf(word string) byte {
	word = strings.ToLower(strings.TrimRight(word, ",."))
	switch {
	case isName("mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday", word):
		return 'w'
	case isName("jan feb mar apr may jun jul aug sep oct nov dec january february march april june july august september october november december", word):
		return 'm'
	case strings.Count(word, ":") >= 1 && strings.Trim(word, "0123456789:.") == "" && len(word) >= len("0:00"):
		return 't'
	case isISO(word):
		return 'i'
	case isDigits(word) && len(word) <= 2:
		return 'd'
	case isDigits(word) && len(word) == 4:
		return 'y'
	case len(word) == 5 && (word[0] == '+' || word[0] == '-') && isDigits(word[1:]):
		return 'z'
	}
	return 0
}

func isName(list, word string) bool {
	return len(word) >= 3 && strings.Contains(" "+list+" ", " "+word+" ")
}

func isDigits(word string) bool { return word != "" && strings.Trim(word, "0123456789") == "" }

// isISO reports whether a word is a date such as 2024-01-31, with or without a time after a T.
func isISO(word string) bool {
	return len(word) >= len("2024-01-31") && isDigits(word[:4]) && word[4] == '-' && isDigits(word[5:7]) && word[7] == '-' && isDigits(word[8:10])
}
