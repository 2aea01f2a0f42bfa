package settingsimport

import (
	"path"
	"slices"
	"strings"
	"unicode"
)

// commandContent says whether a command contains the password that it prints.
type commandContent int

const (
	elsewhere commandContent = iota // it does not, as far as can be seen: the command is imported
	clearly                         // it only repeats a word, which is the password
	somehow                         // it prints text of its own in a form that is not parsed
)

// passwordInCommand parses "echo word" and "printf '%s' word" as the shell and these programs do
// (POSIX.1-2024, sections 2.2 and 2.3, echo, printf).
func passwordInCommand(command string) (word string, how commandContent) {
	words, plain, expands := shellWords(command)
	for len(words) > 0 && (isAssignment(words[0]) || slices.Contains([]string{"command", "builtin", "exec"}, words[0])) {
		words = words[1:]
	}
	if len(words) == 0 {
		return "", elsewhere
	}
	verb, words := path.Base(words[0]), words[1:]
	switch {
	case verb != "echo" && verb != "printf" && verb != "print", expands:
		return "", elsewhere
	case !plain:
		return "", somehow
	case verb == "printf":
		word = printfWord(words)
	default:
		word = echoWord(words)
	}
	if word == "" || strings.ContainsFunc(word, unicode.IsControl) {
		return "", somehow
	}
	return word, clearly
}

// echoWord returns the output of echo; "" if it depends on the implementation.
func echoWord(words []string) string {
	for len(words) > 0 && slices.Contains([]string{"-n", "-e", "-E", "-ne", "-en", "-r"}, words[0]) {
		words = words[1:]
	}
	if text := strings.Join(words, " "); !strings.Contains(text, `\`) {
		return text
	}
	return ""
}

// printfWord returns the output of printf; "" if the format is more than %s.
func printfWord(words []string) string {
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) == 0 {
		return ""
	}
	switch format := strings.TrimSuffix(words[0], `\n`); {
	case format == "%s" && len(words) == 2:
		return words[1]
	case len(words) == 1 && !strings.ContainsAny(format, `%\`):
		return format
	}
	return ""
}

func isAssignment(word string) bool {
	name, _, found := strings.Cut(word, "=")
	return found && name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// shellWords splits a command line into words without their quotes. plain is true for a single
// command of words only; expands is true if the shell substitutes values from elsewhere.
func shellWords(line string) (words []string, plain, expands bool) {
	plain = true
	var word strings.Builder
	var quote rune
	inWord := false
	runes := []rune(line)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case quote == '\'' && r != '\'':
			word.WriteRune(r)
		case quote != 0 && r == quote:
			quote = 0
		case r == '$' || r == '`':
			expands = true
			word.WriteRune(r)
		case r == '\\' && i+1 < len(runes) && (quote == 0 || strings.ContainsRune("$`\"\\", runes[i+1])):
			i++
			word.WriteRune(runes[i])
			inWord = true
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == ' ' || r == '\t':
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			if strings.ContainsRune("|&;<>(){}*?[\r\n", r) || !inWord && strings.ContainsRune("~#", r) {
				plain = false
			}
			word.WriteRune(r)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, plain && quote == 0, expands
}
