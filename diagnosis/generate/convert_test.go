package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func sources(t *testing.T) (classes, replies []byte) {
	t.Helper()
	classes, err := os.ReadFile("../classes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	replies, err = os.ReadFile("../replies.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return classes, replies
}

// TestEmbeddedFileIsCurrent regenerates the table in memory, to detect a forgotten `go generate
// ./diagnosis`.
func TestEmbeddedFileIsCurrent(t *testing.T) {
	t.Parallel()
	classes, replies := sources(t)
	want, err := Convert(classes, replies)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../internal/replytable/replytable.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("replytable.json does not follow from the sources: run `go generate ./diagnosis`")
	}
}

func TestRunWritesTheFile(t *testing.T) {
	t.Parallel()
	target := filepath.Join(t.TempDir(), "out.json")
	if err := run("../classes.yaml", "../replies.yaml", target); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(target); err != nil || !bytes.HasPrefix(b, []byte(`{"classes":[`)) {
		t.Errorf("wrote %.40q, %v", b, err)
	}
	if run("no such file", "../replies.yaml", target) == nil || run("../classes.yaml", "no such file", target) == nil {
		t.Error("a missing source is no error")
	}
}

// A mistake in a source is refused with its place.
func TestConvertRefuses(t *testing.T) {
	t.Parallel()
	classes, _ := sources(t)
	const head = "schema: 1\nsections:\n- section: \"1\"\n  at: [auth]\n  rows:\n"
	const good = `  - {row: 1, code: [535], text: ["no"], class: AUTH_BAD_CREDENTIALS, status: V, source: s}` + "\n"
	if _, err := Convert(classes, []byte(head+good)); err != nil {
		t.Fatalf("the good row: %v", err)
	}
	for _, tt := range []struct{ name, old, new, want string }{
		{"a class nobody knows", "AUTH_BAD_CREDENTIALS", "AUTH_ODD", `class "AUTH_ODD" is unknown`},
		{"a stage nobody knows", "row: 1,", "row: 1, at: [lunch],", `stage "lunch" is unknown`},
		{"a provider nobody knows", "row: 1,", "row: 1, providers: [q],", `provider "q" is unknown`},
		{"a scope nobody knows", "row: 1,", "row: 1, scope: world,", `scope "world" is unknown`},
		{"a retry nobody knows", "row: 1,", "row: 1, retry: soon,", `retry "soon" is unknown`},
		{"a delay without its length", "row: 1,", "row: 1, retry: delay,", "has an `after`"},
		{"a length without its delay", "row: 1,", "row: 1, retry: never, after: 1h,", "has an `after`"},
		{"a length that is none", "row: 1,", "row: 1, retry: delay, after: soon,", "invalid duration"},
		{"a kind of error nobody knows", "row: 1,", "row: 1, errors: [hiccup],", `"hiccup" is unknown`},
		{"one language", "row: 1,", "row: 1, hint: {en: only},", "one language"},
		{"a status nobody knows", "status: V", "status: X", `status "X"`},
		{"no code and no error", "code: [535]", "code: [0]", "neither a code nor an error"},
		{"a code without a text", `text: ["no"], `, "", "no text"},
		{"a pattern that fits everything", `text: ["no"]`, `text: ["no"], match: ["*"]`, "fits everything"},
		{"a key nobody reads", "row: 1,", "row: 1, rwo: 2,", "rwo"},
		{"the same row twice", good, good + good, "stands twice"},
		{"another schema", "schema: 1", "schema: 7", "schemas are 1 and 7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			source := strings.Replace(head+good, tt.old, tt.new, 1)
			if source == head+good {
				t.Fatal("the case changes nothing")
			}
			if _, err := Convert(classes, []byte(source)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestConvertRefusesClasses(t *testing.T) {
	t.Parallel()
	classes, replies := sources(t)
	for _, tt := range []struct{ name, old, new, want string }{
		{"a class the package lacks", "class: TOO_LARGE\n", "class: TOO_HUGE\n", `"TOO_HUGE" is unknown to the package`},
		{"no scope", "class: TOO_LARGE\n  scope: message\n", "class: TOO_LARGE\n", "no scope"},
		{"a sentence is missing", `zh: "邮件超过了服务商的大小限制。"`, `zh: ""`, "a sentence is missing"},
		{"a code of no class", `{code: "1.1", class: RECIPIENT_INVALID}`, `{code: "1.1", class: ODD}`, "enhanced 1.1"},
		{"a stage nobody knows", "{at: [ehlo], code: 4xx", "{at: [lunch], code: 4xx", "code 4xx"},
		{"a kind nobody knows", "kind: no_such_host", "kind: no_host", "error no_host"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			source := strings.Replace(string(classes), tt.old, tt.new, 1)
			if source == string(classes) {
				t.Fatal("the case changes nothing")
			}
			if _, err := Convert([]byte(source), replies); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}
