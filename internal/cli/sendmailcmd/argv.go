package sendmailcmd

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/text/spelling"
)

// mode is what a call asks for.
type mode string

const (
	modeSend    mode = "send"    // -bm, the default
	modeSession mode = "session" // -bs
	modeList    mode = "list"    // -bp, mailq
	modeVerify  mode = "verify"  // -bv
	modeWake    mode = "wake"    // -q
	modeAliases mode = "aliases" // -bi, newaliases
	modeHelp    mode = "help"    // --help
	modeVersion mode = "version" // --version
)

// call is a parsed command line.
type call struct {
	mode mode
	// recipients are the operands as given: each may be a list with display names.
	recipients []string
	fromHeader bool // -t
	ignoreDots bool // -i, -oi
	// sender is the value of -f; nil without it. "<>" and "" are the null sender.
	sender   *string
	fullName string // -F
	// notify, ret and envelopeID are those of a DSN request (RFC 3461), in upper case but for the
	// envelope ID.
	notify, ret, envelopeID string
	verbose                 bool
	config                  string // -C
	json                    bool
}

// argument says whether an option has one.
type argument int

const (
	never  argument = iota
	glued           // only in the same word: -q30m
	always          // in the same word, or the next
)

// option is one letter of the traditional interface. Without a set function it is read and ignored.
type option struct {
	takes argument
	set   func(c *call, value string) error
}

// options are those of sendmail and Postfix that programs pass. The form is that of getopt.
func options() map[byte]option {
	return map[byte]option{
		't': {never, func(c *call, _ string) error { c.fromHeader = true; return nil }},
		'i': {never, func(c *call, _ string) error { c.ignoreDots = true; return nil }},
		'v': {never, func(c *call, _ string) error { c.verbose = true; return nil }},
		'I': {never, func(c *call, _ string) error { c.mode = modeAliases; return nil }},
		'f': {always, setSender},
		'r': {always, setSender},
		'F': {always, func(c *call, v string) error { c.fullName = oneLine(v); return nil }},
		'C': {always, func(c *call, v string) error { c.config = v; return nil }},
		'N': {always, setNotify},
		'R': {always, setReturn},
		'V': {always, setEnvelopeID},
		'b': {always, setMode},
		'q': {glued, func(c *call, _ string) error { c.mode = modeWake; return nil }},
		'o': {always, func(c *call, v string) error { c.ignoreDots = c.ignoreDots || v == "i"; return nil }},
		'A': {takes: always}, 'B': {takes: always}, 'L': {takes: always}, 'X': {takes: always}, 'O': {takes: always},
		'h': {takes: always}, 'e': {takes: always}, 'p': {takes: always}, 'd': {takes: glued},
		'G': {}, 'U': {}, 'n': {}, 'm': {}, 'x': {},
	}
}

// longOptions are Yan's own.
func longOptions() []string { return []string{"--help", "--json", "--lang", "--version"} }

func setSender(c *call, v string) error {
	if v == "<>" {
		v = ""
	}
	c.sender = &v
	return nil
}

// oneLine returns a name that fits into a header field: valid UTF-8 without control characters.
func oneLine(name string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, "\ufffd")))
}

func setNotify(c *call, v string) error {
	v = strings.ToUpper(v)
	for _, one := range strings.Split(v, ",") {
		if v != "NEVER" && !slices.Contains([]string{"SUCCESS", "FAILURE", "DELAY"}, one) {
			return localerr.Errorf("-N %q: want never, or some of success, failure and delay, with commas", v)
		}
	}
	c.notify = v
	return nil
}

func setReturn(c *call, v string) error {
	v = strings.ToUpper(v)
	if v != "FULL" && v != "HDRS" {
		return localerr.Errorf("-R %q: want full or hdrs", v)
	}
	c.ret = v
	return nil
}

func setEnvelopeID(c *call, v string) error {
	if len(v) > 100 || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return localerr.Errorf("-V %q: want at most 100 printable ASCII characters", v)
	}
	c.envelopeID = v
	return nil
}

func setMode(c *call, v string) error {
	modes := map[string]mode{"m": modeSend, "s": modeSession, "p": modeList, "v": modeVerify, "i": modeAliases}
	m, ok := modes[v]
	if !ok {
		return localerr.Errorf("-b%s is not supported; -bm, -bs, -bp, -bv and -bi are, and 'yan serve' is the daemon", v)
	}
	c.mode = m
	return nil
}

// parse parses the arguments of a program called sendmail, mailq or newaliases. Options may follow
// recipients, up to "--". The error tells what is wrong and, if an option is unknown, the nearest
// known one.
func parse(program string, argv []string) (call, error) {
	c := call{mode: modeSend}
	switch program {
	case "mailq":
		c.mode = modeList
	case "newaliases":
		c.mode = modeAliases
	}
	if len(argv) == 1 && argv[0] == "-h" { // with a value it is the count of hops
		argv = []string{"--help"}
	}
	known := options()
	for len(argv) > 0 {
		word := argv[0]
		argv = argv[1:]
		switch {
		case word == "--":
			c.recipients = append(c.recipients, argv...)
			return c, nil
		case strings.HasPrefix(word, "--"):
			rest, err := c.long(word, argv)
			if err != nil {
				return c, err
			}
			argv = rest
		case strings.HasPrefix(word, "-") && word != "-":
			rest, err := c.letters(known, word[1:], argv)
			if err != nil {
				return c, err
			}
			argv = rest
		default:
			c.recipients = append(c.recipients, word)
		}
	}
	return c, nil
}

// letters parses a word of options without its hyphen, and returns the words that are left.
func (c *call) letters(known map[byte]option, word string, argv []string) ([]string, error) {
	for i := 0; i < len(word); i++ {
		o, ok := known[word[i]]
		if !ok {
			return argv, unknownOption(known, word, i)
		}
		value := ""
		if o.takes != never {
			value = word[i+1:]
			i = len(word)
		}
		if o.takes == always && value == "" {
			if len(argv) == 0 {
				return argv, localerr.Errorf("-%c needs a value", rune(letterBefore(word)))
			}
			value, argv = argv[0], argv[1:]
		}
		if o.set == nil {
			continue
		}
		if err := o.set(c, value); err != nil {
			return argv, err
		}
	}
	return argv, nil
}

// letterBefore returns the option of a word that ends with it.
func letterBefore(word string) byte { return word[len(word)-1] }

// long parses one of Yan's own options.
func (c *call) long(word string, argv []string) ([]string, error) {
	name, _, hasValue := strings.Cut(word, "=")
	switch {
	case word == "--help":
		c.mode = modeHelp
	case word == "--version":
		c.mode = modeVersion
	case word == "--json":
		c.json = true
	case name == "--lang" && hasValue: // command.ChooseLanguage has read it
	case name == "--lang" && len(argv) > 0:
		argv = argv[1:]
	case name == "--lang":
		return argv, localerr.Errorf("%s needs a value", word)
	default:
		near := nearestLong(strings.TrimPrefix(name, "--"))
		if near == "" {
			return argv, localerr.Errorf("unknown option %s", word)
		}
		return argv, localerr.Errorf("unknown option %s; did you mean %s?", word, near)
	}
	return argv, nil
}

// nearestLong returns the option that a long name may have meant; "" for none.
func nearestLong(name string) string {
	words := map[string]string{"from": "-f", "sender": "-f", "read-recipients": "-t", "to": "-t", "name": "-F", "full-name": "-F", "verbose": "-v",
		"config": "-C", "file": "-C", "queue": "-bp", "list": "-bp", "verify": "-bv", "flush": "-q", "notify": "-N", "return": "-R"}
	for _, long := range longOptions() {
		words[strings.TrimPrefix(long, "--")] = long
	}
	best, most := "", len(name)/3+1
	for _, word := range slices.Sorted(maps.Keys(words)) {
		if d := spelling.Distance([]rune(strings.ToLower(name)), []rune(word)); d < most {
			best, most = words[word], d
		}
	}
	return best
}

// unknownOption names an unknown letter, and the known one that differs in case.
func unknownOption(known map[byte]option, word string, at int) error {
	letter := word[at]
	shown := "-" + string([]rune(word[at:])[0])
	if at == 0 && len(word) > 2 { // a long name with one hyphen: -from
		if near := nearestLong(word); near != "" {
			return localerr.Errorf("unknown option %s; did you mean %s?", "-"+word, near)
		}
	}
	other := letter ^ 0x20
	if _, ok := known[other]; ok && (letter|0x20 >= 'a' && letter|0x20 <= 'z') {
		return localerr.Errorf("unknown option %s; did you mean %s?", shown, "-"+string(other))
	}
	return localerr.Errorf("unknown option %s", shown)
}
