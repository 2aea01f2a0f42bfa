package sendmailcmd

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"
)

// recorded is a call of sendmail by a real program, or a probe.
type recorded struct {
	Program string   `json:"program"`
	Argv    []string `json:"argv"`
	Stdin   string   `json:"stdin"`
	// Base64 is a standard input that is not UTF-8.
	Base64 []byte `json:"base64"`
	// SMTP are the lines of the client, if it calls sendmail -bs.
	SMTP []string `json:"smtp"`
}

// input returns standard input.
func (r recorded) input() string {
	switch {
	case len(r.Base64) > 0:
		return string(r.Base64)
	case len(r.SMTP) > 0:
		return strings.Join(r.SMTP, "\r\n") + "\r\n"
	}
	return r.Stdin
}

// recordings returns the calls by 32 programs, and the probes.
func recordings(t testing.TB, file string) []recorded {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // only read
	var all []recorded
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var r recorded
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if want := map[string]int{"calls.jsonl": 67, "probes.jsonl": 45}[file]; len(all) != want {
		t.Fatalf("%d recordings in %s, want %d", len(all), file, want)
	}
	return all
}

// describe returns a parsed command line as text.
func (c call) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s to=%q", c.mode, c.recipients)
	for _, flag := range []struct {
		name string
		set  bool
	}{{"t", c.fromHeader}, {"i", c.ignoreDots}, {"v", c.verbose}, {"json", c.json}} {
		if flag.set {
			b.WriteString(" " + flag.name)
		}
	}
	if c.sender != nil {
		fmt.Fprintf(&b, " from=%q", *c.sender)
	}
	for _, value := range [][2]string{{"name", c.fullName}, {"notify", c.notify}, {"ret", c.ret}, {"envid", c.envelopeID}, {"config", c.config}} {
		if value[1] != "" {
			fmt.Fprintf(&b, " %s=%q", value[0], value[1])
		}
	}
	return b.String()
}

// Every command line that real programs use is understood.
func TestRecordedCommandLines(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, file := range []string{"calls.jsonl", "probes.jsonl"} {
		for _, r := range recordings(t, file) {
			c, err := parse("sendmail", r.Argv[1:])
			got := c.describe()
			if err != nil {
				got = "error: " + err.Error()
			}
			fmt.Fprintf(&b, "%s: %q\n  %s\n", r.Program, r.Argv[1:], got)
		}
	}
	clitest.Golden(t, filepath.Join("testdata", "argv.golden"), b.String())
}

func TestParse(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":                       `send to=[]`,
		"-it":                    `send to=[] t i`,
		"-ti -f a@b x":           `send to=["x"] t i from="a@b"`,
		"-fA":                    `send to=[] from="A"`,
		"-tfA":                   `send to=[] t from="A"`,
		"-f <>":                  `send to=[] from=""`,
		"-r a -f b":              `send to=[] from="b"`,
		"-oi -om -oem -odq a":    `send to=["a"] i`,
		"-o i a":                 `send to=["a"] i`,
		"a -i b":                 `send to=["a" "b"] i`,
		"-- -i":                  `send to=["-i"]`,
		"- a":                    `send to=["-" "a"]`,
		"-O x=y -X log -L tag a": `send to=["a"]`,
		"-Ox=y -Xlog -Ltag a":    `send to=["a"]`,
		"-h 5 -h5 -p SMTP -pX a": `send to=["a"]`,
		"-Am -A c a":             `send to=["a"]`,
		"-G -U -n -m -x a":       `send to=["a"]`,
		"-d0.1 -d a":             `send to=["a"]`,
		"-N never -R hdrs -V e":  `send to=[] notify="NEVER" ret="HDRS" envid="e"`,
		"-Nsuccess,delay -Rfull": `send to=[] notify="SUCCESS,DELAY" ret="FULL"`,
		"-B8BITMIME -B 7BIT a":   `send to=["a"]`,
		"-bm a":                  `send to=["a"]`,
		"-b s":                   `session to=[]`,
		"-bs -odb -oem -om":      `session to=[]`,
		"-bp":                    `list to=[]`,
		"-bp --json":             `list to=[] json`,
		"-bv a":                  `verify to=["a"]`,
		"-bi":                    `aliases to=[]`,
		"-I":                     `aliases to=[]`,
		"-q":                     `wake to=[]`,
		"-q30m":                  `wake to=[]`,
		"-qRexample.com":         `wake to=[]`,
		"-C f -v":                `send to=[] v config="f"`,
		"-F Me":                  `send to=[] name="Me"`,
		"--lang zh a":            `send to=["a"]`,
		"--lang=zh a":            `send to=["a"]`,
		"--help":                 `help to=[]`,
		"-Z":                     "error: unknown option -Z",
		"-T":                     "error: unknown option -T; did you mean -t?",
		"-c":                     "error: unknown option -c; did you mean -C?",
		"-iZ":                    "error: unknown option -Z",
		"-é":                     "error: unknown option -é",
		"-\xff":                  "error: unknown option -\ufffd",
		"--form a":               "error: unknown option --form; did you mean -f?",
		"--jsn":                  "error: unknown option --jsn; did you mean --json?",
		"--zzz":                  "error: unknown option --zzz",
		"-t -f":                  "error: -f needs a value",
		"-if":                    "error: -f needs a value",
		"--lang":                 "error: --lang needs a value",
		"-N perhaps":             `error: -N "PERHAPS": want never, or some of success, failure and delay, with commas`,
		"-R all":                 `error: -R "ALL": want full or hdrs`,
		"-bd":                    "error: -bd is not supported; -bm, -bs, -bp, -bv and -bi are, and 'yan serve' is the daemon",
	} {
		c, err := parse("sendmail", strings.Fields(line))
		got := c.describe()
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", line, got, want)
		}
	}
	if c, _ := parse("sendmail", []string{"-f", "", "a"}); c.sender == nil || *c.sender != "" || len(c.recipients) != 1 {
		t.Errorf("an empty sender: %s", c.describe())
	}
}

func TestProgramNames(t *testing.T) {
	t.Parallel()
	for program, want := range map[string]mode{"sendmail": modeSend, "mailq": modeList, "newaliases": modeAliases} {
		if c, err := parse(program, []string{"-v"}); err != nil || c.mode != want {
			t.Errorf("%s: %s, %v", program, c.mode, err)
		}
	}
}

func TestParseOperand(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"a@example.com":                     {"a@example.com"},
		"root":                              {"root"},
		"a@example.com, b@example.com":      {"a@example.com", "b@example.com"},
		"a@example.com,root,":               {"a@example.com", "root"},
		"Bob <bob@example.com>":             {"bob@example.com"},
		`"Bob, B" <b@example.com>, c@d.org`: {"b@example.com", "c@d.org"},
		"b@example.com (Bob (B), x)":        {"b@example.com"},
		`"a b"@example.com`:                 {`"a b"@example.com`},
		"<@relay.example:b@example.com>":    {"b@example.com"},
		"undisclosed-recipients:;":          nil,
		"team: a@example.com, root;":        {"a@example.com", "root"},
		"a@[IPv6:::1]":                      {"a@[IPv6:::1]"},
		"":                                  nil,
		" , ":                               nil,
		"雁@example.com":                     {"雁@example.com"},
		"-oQ/tmp":                           {"-oQ/tmp"},
	} {
		list, err := parseOperand(in)
		var got []string
		for _, r := range list {
			got = append(got, r.String())
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"a b@@c", "a b", "Bob <b@example.com", `"a`, "a (b", "\xff@example.com", "a@", "a\nb@example.com", "a@b c@d"} {
		if list, err := parseOperand(in); err == nil {
			t.Errorf("%q: %q; want an error", in, list)
		}
	}
}

func TestRecipientsOnce(t *testing.T) {
	t.Parallel()
	var l recipientList
	for _, s := range []string{"a@Example.com", "root", "a@example.com", "root", "A@example.com", "root@localhost"} {
		r, err := newRecipient(s)
		if err != nil {
			t.Fatal(err)
		}
		l.add(r)
	}
	if got := fmt.Sprint(l.all); got != "[a@Example.com root A@example.com]" {
		t.Error(got)
	}
}

// However long the command line is, it is parsed in time that grows with its length.
func TestManyRecipients(t *testing.T) {
	t.Parallel()
	argv := []string{"-i"}
	for i := range 100_000 {
		argv = append(argv, fmt.Sprintf("u%d@example.com", i%90_000))
	}
	c, err := parse("sendmail", argv)
	if err != nil {
		t.Fatal(err)
	}
	var l recipientList
	for _, operand := range append(c.recipients, strings.Join(c.recipients, ", ")) {
		list, err := parseOperand(operand)
		if err != nil {
			t.Fatal(err)
		}
		l.add(list...)
	}
	if len(l.all) != 90_000 {
		t.Errorf("%d recipients", len(l.all))
	}
}

func FuzzParse(f *testing.F) {
	f.Add("-it\x00-fa@b\x00x")
	f.Add("-bs\x00--\x00Bob <b@example.com>, root")
	f.Fuzz(func(t *testing.T, line string) {
		c, err := parse("sendmail", strings.Split(line, "\x00"))
		if err != nil {
			return
		}
		for _, operand := range c.recipients {
			list, err := parseOperand(operand)
			for _, r := range list {
				if again, bad := newRecipient(r.String()); bad != nil || again != r {
					t.Errorf("%q of %q is %q again, %v", r, operand, again, bad)
				}
			}
			if err != nil && len(list) > 0 {
				t.Errorf("%q: %q and %v", operand, list, err)
			}
		}
	})
}
