package repair_test

import (
	"bytes"
	"io"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/intake/repair"
	"github.com/yanmail/yan/message"
)

const boss = "boss@victim.example"

// foreignAuthors are headers that name another author, or could be read so.
func foreignAuthors() map[string]string {
	return map[string]string{
		"other":                    "From: " + boss + "\n",
		"list":                     "From: me@corp.example, " + boss + "\n",
		"list without a comma":     "From: me@corp.example " + boss + "\n",
		"two angles":               "From: <" + boss + "> <me@corp.example>\n",
		"two angles, other order":  "From: <me@corp.example> <" + boss + ">\n",
		"text after the angle":     "From: me@corp.example, <" + boss + "> x\n",
		"unclosed quote":           "From: me@corp.example, \"x <" + boss + ">\n",
		"unclosed comment":         "From: me@corp.example, (x <" + boss + ">\n",
		"unclosed angle":           "From: me@corp.example, <" + boss + "\n",
		"backslash":                "From: me@corp.example\\, " + boss + "\n",
		"bracket":                  "From: [x, " + boss + ", ] <me@corp.example>\n",
		"encoded word":             "From: =?utf-8?q?x,_?= " + boss + " <me@corp.example>\n",
		"semicolon":                "From: me@corp.example; " + boss + "\n",
		"group":                    "From: x: " + boss + ";\n",
		"group with the account":   "From: " + boss + ": me@corp.example;\n",
		"empty group":              "From: " + boss + ":;\n",
		"member of 5,000 octets":   "From: me@corp.example, \"" + strings.Repeat("x", 5000) + "\" <" + boss + ">\n",
		"two fields":               "From: me@corp.example\nFrom: " + boss + "\n",
		"two fields, other case":   "From: me@corp.example\nFROM: " + boss + "\n",
		"blank before the colon":   "From: me@corp.example\nFrom : " + boss + "\n",
		"tab before the colon":     "From\t: " + boss + "\n",
		"folded":                   "From: me@corp.example,\n " + boss + "\n",
		"folded after a blank":     "From: me@corp.example,\n \n " + boss + "\n",
		"bare CR":                  "From: me@corp.example,\r" + boss + "\n",
		"NUL":                      "From: me@corp.example,\x00 <" + boss + ">\n",
		"source route":             "From: <@corp.example:" + boss + ">\n",
		"trailing dot":             "From: boss@victim.example.\n",
		"quoted local part":        "From: \"me@corp.example, \"@victim.example\n",
		"upper case":               "From: BOSS@VICTIM.EXAMPLE\n",
		"GB18030":                  "From: \xcd\xf5 <" + boss + ">\n",
		"sender":                   "From: me@corp.example\nSender: " + boss + "\n",
		"sender is a list":         "From: me@corp.example\nSender: me@corp.example, " + boss + "\n",
		"two senders":              "From: me@corp.example\nSender: me@corp.example\nSender: " + boss + "\n",
		"sender can't be read":     "From: me@corp.example\nSender: <me@corp.example> <" + boss + ">\n",
		"resent":                   "From: me@corp.example\nResent-From: " + boss + "\nResent-To: a@b.example\n",
		"resent, list":             "From: me@corp.example\nResent-From: me@corp.example, " + boss + "\n",
		"resent sender":            "From: me@corp.example\nResent-From: me@corp.example\nResent-Sender: " + boss + "\n",
		"resent sender is a list":  "From: me@corp.example\nResent-Sender: me@corp.example, me@corp.example <" + boss + ">\n",
		"from line and two fields": "From boss@victim.example Mon Nov 30 17:25:15 2026\n>From x\nFrom: me@corp.example\nFrom: " + boss + "\n",
	}
}

// Whoever may send as one address only can't name another author, in a signed message neither.
func TestNoOtherAuthor(t *testing.T) {
	t.Parallel()
	for name, header := range foreignAuthors() {
		for _, signature := range []string{"", "DKIM-Signature: v=1; a=rsa-sha256\n"} {
			in := header + signature + "To: a@b.example\n" + plainText + "\nx\n"
			m, err := repair.Read(strings.NewReader(in), int64(len(in)), rewriting(t))
			if err != nil {
				continue // refused
			}
			sent, err := mail.ReadMessage(strings.NewReader(wire(t, m)))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for _, field := range []string{"From", "Sender", "Resent-From", "Resent-Sender"} {
				values := sent.Header[field]
				if len(values) > 1 || field == "From" && len(values) != 1 {
					t.Errorf("%s, %q: %s is %q", name, signature, field, values)
				}
				for _, value := range values {
					list, err := mail.ParseAddressList(value)
					if err != nil || len(list) != 1 || list[0].Address != "me@corp.example" {
						t.Errorf("%s, %q: %s is %q (%v)", name, signature, field, value, err)
					}
				}
			}
		}
	}
}

// Under a policy that refuses, each of them is replaced or shown to the policy.
func TestPolicySeesEachAuthor(t *testing.T) {
	t.Parallel()
	for name, header := range foreignAuthors() {
		for _, signature := range []string{"", "DKIM-Signature: v=1; a=rsa-sha256\n"} {
			in := header + signature + plainText + "\nx\n"
			o := rewriting(t)
			refused := false
			replace := o.From
			o.From = func(from *message.Mailbox) *message.Mailbox {
				if from != nil && replace(from) != nil {
					refused = true
					return nil
				}
				return replace(from)
			}
			m, err := repair.Read(strings.NewReader(in), int64(len(in)), o)
			if err != nil || refused {
				continue
			}
			sent, err := mail.ReadMessage(strings.NewReader(wire(t, m)))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for _, field := range []string{"From", "Sender", "Resent-From", "Resent-Sender"} {
				for _, value := range sent.Header[field] {
					list, err := mail.ParseAddressList(value)
					if err != nil || len(sent.Header[field]) > 1 || len(list) != 1 || list[0].Address != "me@corp.example" {
						t.Errorf("%s, %q: %s is %q (%v)", name, signature, field, value, err)
					}
				}
			}
		}
	}
}

// What a program may send stays as it is.
func TestOwnAuthorsStay(t *testing.T) {
	t.Parallel()
	for _, header := range []string{
		"From: me@corp.example\n", "From: Me <me@corp.example>\nSender: me@corp.example\n", "From: =?utf-8?b?5byg?= <me@corp.example>\n",
		"From: me@corp.example (Me, myself)\n", "From: \"Me, myself\" <me@corp.example>, me@corp.example\n",
		"Resent-From: Me <me@corp.example>\nResent-To: a@b.example\nResent-From: old@victim.example\nFrom: me@corp.example\n",
	} {
		in := header + plainText + "\nx\n"
		if out := wire(t, read(t, in, rewriting(t))); out != crlf(in) {
			t.Errorf("%q became %q", in, out)
		}
	}
}

// No header makes a reader of RFC 5322 see an author that is not the account's.
func FuzzAuthor(f *testing.F) {
	for _, header := range foreignAuthors() {
		f.Add(header, false)
		f.Add(header, true)
	}
	f.Fuzz(func(t *testing.T, header string, signed bool) {
		if signed {
			header = "DKIM-Signature: x\n" + header
		}
		in := header + plainText + "\nx\n"
		m, err := repair.Read(strings.NewReader(in), int64(len(in)), rewriting(t))
		if err != nil {
			return
		}
		b, err := m.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		sent, err := mail.ReadMessage(bytes.NewReader(b))
		if err != nil {
			return // its field names are odd
		}
		any := mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil }}}
		for _, field := range []string{"From", "Sender"} {
			values := sent.Header[field]
			if len(values) > 1 {
				t.Fatalf("%q: %s is %q", in, field, values)
			}
			for _, value := range values {
				list, err := any.ParseList(value)
				if err != nil || slices.ContainsFunc(list, func(a *mail.Address) bool { return !strings.EqualFold(a.Address, "me@corp.example") }) {
					t.Fatalf("%q: %s is %q (%v)", in, field, value, err)
				}
			}
		}
	})
}

// A CR alone ends lines only in a message without any LF: in others it may come from a stranger, who
// has filled a field up to where a reader stops looking.
func TestCRFarBeforeLF(t *testing.T) {
	t.Parallel()
	in := "Subject: a\rBcc: " + boss + "\r" + strings.Repeat("x", 70<<10) + "\nTo: a@b.example\n\nx\n"
	m, err := repair.Read(strings.NewReader(in), int64(len(in)), form())
	if err != nil {
		t.Fatal(err)
	}
	if list := m.Recipients(); len(list) != 1 || list[0].String() != "a@b.example" {
		t.Errorf("the recipients are %v", list)
	}
}

// Headers that are made to take time or memory: the lines are limited, and nothing takes the square of
// their length.
func TestCostlyHeaders(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in   string
		want string // part of the error; "" is none
	}{
		"short fields":    {strings.Repeat("a:\n", 1<<20), "lines"},
		"folded lines":    {"Subject: x\n" + strings.Repeat(" \n", 1<<20), "lines"},
		"open comments":   {"From: " + strings.Repeat("<"+strings.Repeat("(", 4000)+">,", 200) + "\n", ""},
		"open quotes":     {"From: " + strings.Repeat("<"+strings.Repeat(`\"`, 2000)+">,", 200) + "\n", ""},
		"encoded words":   {"To: " + strings.Repeat("=?a?q?", 1<<17) + "\n", ""},
		"many recipients": {"Bcc: " + strings.Repeat("a@b.example,\n ", 100_000) + "x\n", ""},
	} {
		_, err := repair.Read(strings.NewReader(tt.in), int64(len(tt.in)), rewriting(t))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %.200v, want %q", name, err, tt.want)
		}
	}
}
