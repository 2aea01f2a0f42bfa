package smtp_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yanmail/yan/smtp"
)

// Each file of testdata/ehlo is the real reply of a provider, after a head with the expected
// result.
func TestCapabilitiesOfProviders(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/ehlo/*.txt")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			head, body, ok := strings.Cut(strings.ReplaceAll(string(data), "\r\n", "\n"), "---\n")
			if !ok {
				t.Fatal("no head")
			}
			r, err := parse(strings.Split(strings.TrimSpace(body), "\n")...)
			if err != nil {
				t.Fatal(err)
			}
			checkCapabilities(t, head, smtp.ParseCapabilities(r))
		})
	}
}

func checkCapabilities(t *testing.T, head string, c smtp.Capabilities) {
	t.Helper()
	checked := 0
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		checked++
		switch key {
		case "auth":
			if got := c.Auth(); !slices.Equal(got, strings.Fields(value)) {
				t.Errorf("auth %v, want %s", got, value)
			}
		case "size":
			if got := strconv.FormatInt(c.Size(), 10); got != value {
				t.Errorf("size %s, want %s", got, value)
			}
		case "has", "lacks":
			for _, k := range strings.Fields(value) {
				if c.Has(k) != (key == "has") || c.Has(strings.ToLower(k)) != (key == "has") {
					t.Errorf("%s %s is wrong; keywords are %v", key, k, c.Keywords())
				}
			}
		default:
			t.Errorf("unknown head line %q", line)
		}
	}
	if checked != 4 {
		t.Errorf("%d head lines", checked)
	}
}

func TestCapabilitiesCorners(t *testing.T) {
	t.Parallel()
	var zero smtp.Capabilities
	if zero.Has("SIZE") || zero.Size() != 0 || zero.Params("AUTH") != "" || len(zero.Auth())+len(zero.Keywords()) != 0 {
		t.Error("the zero value offers something")
	}
	r, err := parse("250-PIPELINING", "250-auth  plain   login", "250-AUTH CRAM-MD5", "250-Size -1", "250- dsn ", "250-X a  b ", "250 ")
	if err != nil {
		t.Fatal(err)
	}
	c := smtp.ParseCapabilities(r)
	if c.Has("PIPELINING") {
		t.Error("the server's name is no keyword")
	}
	if got := c.Auth(); !slices.Equal(got, []string{"PLAIN", "LOGIN", "CRAM-MD5"}) {
		t.Errorf("auth %v", got)
	}
	if c.Size() != 0 || !c.Has("DSN") || c.Params("x") != "a  b" {
		t.Errorf("size %d, keywords %v, X %q", c.Size(), c.Keywords(), c.Params("x"))
	}
	c.Auth()[0] = "EVIL"
	if c.Auth()[0] != "PLAIN" {
		t.Error("the caller could change the mechanisms")
	}
	if got := c.Keywords(); !slices.Equal(got, []string{"AUTH", "DSN", "SIZE", "X"}) {
		t.Errorf("keywords %v", got)
	}
}

func FuzzCapabilities(f *testing.F) {
	f.Add("mail\nPIPELINING\nAUTH=LOGIN\nAUTH LOGIN PLAIN\nSIZE 73400320\nOk")
	f.Add("x\nSIZE 99999999999999999999\nauth=\n \nAUTH")
	f.Fuzz(func(t *testing.T, text string) {
		c := smtp.ParseCapabilities(smtp.Reply{Code: 250, Lines: strings.Split(text, "\n")})
		if c.Size() < 0 {
			t.Fatalf("size %d", c.Size())
		}
		for _, k := range c.Keywords() {
			if !c.Has(k) || k == "" || strings.Contains(k, " ") {
				t.Fatalf("keyword %q", k)
			}
		}
		for _, m := range c.Auth() {
			if m == "" || strings.ContainsAny(m, " \t\r\n") || m != strings.ToUpper(m) {
				t.Fatalf("mechanism %q", m)
			}
		}
	})
}

func TestCutEnhancedCode(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in, code, rest string
		ok             bool
	}{
		{"5.1.1 unknown", "5.1.1", "unknown", true},
		{"2.0.0", "2.0.0", "", true},
		{"4.999.999 x", "4.999.999", "x", true},
		{"5.7.26  two spaces", "5.7.26", " two spaces", true},
		{"5.1.1.1 x", "", "5.1.1.1 x", false},
		{"127.0.0.1 refused", "", "127.0.0.1 refused", false},
		{"3.1.1 x", "", "3.1.1 x", false},
		{"5.1 x", "", "5.1 x", false},
		{"5.1.1000 x", "", "5.1.1000 x", false},
		{"5.+1.1 x", "", "5.+1.1 x", false},
		{"5.1.1: x", "", "5.1.1: x", false},
		{"", "", "", false},
	} {
		code, rest, ok := smtp.CutEnhancedCode(tc.in)
		if code.String() != tc.code || rest != tc.rest || ok != tc.ok {
			t.Errorf("%q gave %v, %q, %v", tc.in, code, rest, ok)
		}
		if text, err := code.MarshalText(); err != nil || string(text) != tc.code {
			t.Errorf("%q in JSON is %q, %v", tc.in, text, err)
		}
		var back smtp.EnhancedCode
		if err := back.UnmarshalText([]byte(tc.code)); err != nil || back != code {
			t.Errorf("%q parsed again is %v, %v", tc.code, back, err)
		}
	}
	var e smtp.EnhancedCode
	if e.UnmarshalText([]byte("5.1.1 x")) == nil || e.UnmarshalText([]byte("x")) == nil {
		t.Error("a text that is no code was taken")
	}
}
