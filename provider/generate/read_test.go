package main

import (
	"strings"
	"testing"
)

const minimal = `
schema: 1
providers:
- id: a
  names: {en: A, zh: 甲}
  kind: mailbox
  domains: [a.example] # where it is from
  smtp: {host: smtp.a.example, ports: [{port: 465, tls: implicit, status: official}], prefer: 465}
  auth: {kind: password, mechanisms: [PLAIN], username: full}
  quirks: [one]
  confidence: low
- id: b
  names: {en: B, zh: 乙}
  kind: mailbox
  smtp:
    host: smtp.b.example
    ports:
      - {port: 465, tls: implicit, status: official} # a page
    prefer: 465
  auth: {kind: password, mechanisms: [PLAIN], username: full}
  quirks: {same_as: a, also: [two]}
  confidence: low
mx_rules: []
`

func TestConvert(t *testing.T) {
	t.Parallel()
	files, err := Convert([]byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	out := files["providers.jsonl"]
	for _, want := range []string{`"quirks":["one","two"]`, `"domains":"where it is from"`,
		`"smtp.ports.465":"a page"`, `"region":"intl"`, `"sender_rule":"unknown"`, `"mechanisms_status":"unverified"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

func TestConvertRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, old, new, want string }{
		{"another schema", "schema: 1", "schema: 2", "schema is 2"},
		{"a key nobody reads", "quirks: [one]", "qirks: [one]", `unknown field "qirks"`},
		{"a second entry of the id", "id: b", "id: a", "taken"},
		{"an entry without id", "id: b", "idd: b", "missing"},
		{"a reference to nobody", "same_as: a", "same_as: z", "no such provider"},
		{"a circle", "quirks: [one]", "quirks: {same_as: b}", "circle"},
		{"a word for a number", "prefer: 465}", "prefer: many}", "cannot unmarshal"},
		{"no YAML", "providers:", "providers", "yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			source := strings.Replace(minimal, tt.old, tt.new, 1)
			if source == minimal {
				t.Fatal("the case changes nothing")
			}
			if _, err := Convert([]byte(source)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}
