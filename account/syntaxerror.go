package account

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/localerr"
)

// syntaxFault explains a syntax error at a place of the source. Characters that a Chinese
// keyboard types for quotes, = and comma, and keys in Chinese, are named.
func (p *ParseError) syntaxFault(s *schema, source []byte, row, column int, message string) {
	p.Fault, p.Err = FaultSyntax, syntaxError(message)
	start := 0
	for range row - 1 {
		start += bytes.IndexByte(source[start:], '\n') + 1
	}
	at := start + column - 1 // go-toml counts octets
	if row < 1 || column < 1 || at > len(source) {
		p.Line, p.Column = lineAndColumn(source, len(source))
		return
	}
	p.Line, p.Column = lineAndColumn(source, at)
	line, _, _ := strings.Cut(string(source[start:]), "\n")
	r, size := utf8.DecodeRune(source[at:])
	column = min(column-1, len(line))
	if key := keyAt(source[:start], line, column); p.explainKeyTypo(s, key, message, r) {
		return
	}
	openEnded := strings.Contains(message, "new line") || strings.HasPrefix(message, "unterminated")
	if strings.ContainsRune(wideQuotes, r) || openEnded && strings.ContainsAny(line[:column], wideQuotes) {
		p.Err = localerr.New(`use half-width quotes " ", not full-width “ ”`)
		return
	}
	if size < 2 {
		return // an ASCII character, or an octet that is not UTF-8
	}
	if r == '\u3000' {
		p.Err = localerr.New("full-width spaces are not allowed here; type a half-width space")
		return
	}
	if half, ok := halfWidth[r]; ok {
		p.Err = localerr.Errorf("type the half-width %s instead of the full-width %c", half, r)
		return
	}
	// QUIRK: go-toml 2.4 reports the first octet in place of the character.
	p.Err = syntaxError(strings.Replace(message, fmt.Sprintf("%#U", rune(source[at])), fmt.Sprintf("%#U", r), 1))
}

// wideQuotes are the quotation marks that Chinese input methods type.
const wideQuotes = "“”„‟＂‘’＇「」『』"

// halfWidth maps characters of a Chinese keyboard to the intended ones.
var halfWidth = map[rune]string{'＝': "=", '：': "=", '，': ",", '、': ",", '；': ",", '。': ".", '．': ".", '【': "[", '】': "]",
	'［': "[", '］': "]", '｛': "{", '｝': "}", '＃': "#", '＿': "_", '－': "-", '—': "-"}

// explainKeyTypo explains a secret in a key, and a key or account name in Chinese, which TOML requires
// in quotes.
func (p *ParseError) explainKeyTypo(s *schema, key []string, message string, r rune) bool {
	if len(key) == 0 {
		return false
	}
	ofAccount := len(key) > 1 && (key[0] != "account" || len(key) > 2)
	inKey := strings.HasPrefix(message, "invalid character at start of key") && unicode.IsLetter(r)
	switch {
	case len(key) == 2 && key[0] == "account" && inKey:
		p.Fault, p.Err = FaultValue, localerr.New("a name may contain only letters, digits, - and _")
	case inKey, ofAccount && slices.Contains(secretWords, strings.ToLower(key[len(key)-1])):
		p.unknownKey(s, key)
	default:
		return false
	}
	p.Key = strings.Join(key, ".")
	return true
}

// keyAt returns the dotted key in a line before a column or at it, from the root; above is the
// text before the line. It parses loosely, because the source is not valid TOML.
func keyAt(above []byte, line string, column int) []string {
	var key []string
	if header := strings.HasPrefix(strings.TrimSpace(line), "["); !header {
		for before := range bytes.Lines(above) {
			if name, ok := bytes.CutPrefix(bytes.TrimSpace(before), []byte("[")); ok {
				name, _, _ = bytes.Cut(name, []byte("]"))
				key = keyParts(string(name))
			}
		}
	}
	left, _, isValue := strings.Cut(line[:column], "=")
	key = append(key, keyParts(strings.TrimLeft(left, " \t["))...)
	if !isValue || strings.Contains(line[:column], "{") {
		word := line[column:]
		if end := strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-' }); end >= 0 {
			word = word[:end]
		}
		key = append(key, keyParts(word)...)
	}
	return key
}

func keyParts(dotted string) []string {
	return strings.FieldsFunc(dotted, func(r rune) bool { return r == '.' || unicode.IsSpace(r) || r == '"' || r == '\'' })
}

// syntaxError returns a translatable error for one of go-toml; rare ones stay English.
func syntaxError(message string) error {
	for _, known := range []error{
		localerr.New("expected '=' after key"),
		localerr.New("expected ']' to close table name"),
		localerr.New("expected ',' or ']' after array value"),
		localerr.New("expected ',' or '}' after inline table key-value"),
		localerr.New("expected value, not end of input"),
		localerr.New("array is incomplete"),
		localerr.New("inline table is incomplete"),
		localerr.New("strings must be quoted"),
		localerr.New("basic strings cannot have new lines"),
		localerr.New("literal strings cannot have new lines"),
		localerr.New("unterminated basic string"),
		localerr.New("unterminated literal string"),
		localerr.New("integers cannot have leading zeroes"),
		localerr.New("invalid UTF-8 character in basic string"),
		localerr.New("invalid UTF-8 character in literal string"),
		localerr.New("invalid UTF-8 character in comment"),
	} {
		if known.Error() == message {
			return known
		}
	}
	about := func(before, after string) (string, bool) {
		rest, ok := strings.CutPrefix(message, before)
		what, ends := strings.CutSuffix(rest, after)
		return what, ok && ends
	}
	if c, ok := about("unexpected character ", " at start of value"); ok {
		return localerr.Errorf("unexpected character %s at start of value", c)
	}
	if c, ok := about("invalid character at start of key: ", ""); ok {
		return localerr.Errorf("invalid character at start of key: %s", c)
	}
	if c, ok := about("expected newline but got ", ""); ok {
		return localerr.Errorf("expected newline but got %s", c)
	}
	if c, ok := about("invalid escape character ", ""); ok {
		return localerr.Errorf("invalid escape character %s", c)
	}
	if key, ok := about("key ", " is already defined"); ok {
		return localerr.Errorf("key %s is already defined", key)
	}
	if key, ok := about("table ", " already exists"); ok {
		return localerr.Errorf("table %s already exists", key)
	}
	if key, ok := about("key ", " already exists as a value"); ok {
		return localerr.Errorf("key %s already exists as a value", key)
	}
	return fmt.Errorf("%s", message)
}
