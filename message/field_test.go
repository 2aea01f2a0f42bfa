package message

import (
	"strings"
	"testing"
)

// knownFields are the fields whose syntax package message knows.
var knownFields = map[fieldKind][]string{
	addressField: {"Disposition-Notification-To", "Return-Receipt-To", "X-Confirm-Reading-To", "Read-Receipt-To", "Mail-Followup-To", "Mail-Reply-To",
		"Errors-To", "X-Errors-To", "Abuse-Reports-To", "X-Complaints-To", "Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc", "Resent-Reply-To",
		"Author", "Original-From", "X-Original-From", "Apparently-To", "Delivered-To", "X-Original-To", "X-Forwarded-To", "X-Envelope-From",
		"X-Envelope-To", "Envelope-To"},
	idField:  {"In-Reply-To", "References", "Resent-Message-ID", "Original-Message-ID", "Supersedes", "Obsoletes"},
	uriField: {"List-Help", "List-Unsubscribe", "List-Subscribe", "List-Post", "List-Owner", "List-Archive", "Archived-At"},
}

// In all of them an address, an ID or a URI is never inside an encoded word, and a value that
// can't be written is refused.
func TestNoEncodedWordCoversAddressIDOrURI(t *testing.T) {
	t.Parallel()
	cases := map[fieldKind]struct{ value, want, refused string }{
		addressField: {"张三<z@例子.中国>", "=?UTF-8?B?5byg5LiJ?= <z@xn--fsqu00a.xn--fiqs8s>", "张三"},
		idField:      {"<1@example.com>", "<1@example.com>", "<雁@example.com>"},
		uriField:     {"<https://example.com/?=?x>", "<https://example.com/?=?x>", "<https://example.com/雁>"},
	}
	for kind, names := range knownFields {
		for _, name := range names {
			want := cases[kind]
			h := Header{name, want.value}
			if err := h.Check(); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			var f folder
			f.extraField(h)
			if got := strings.Join(strings.Fields(string(f.buf)), " "); got != name+": "+want.want {
				t.Errorf("%q", got)
			}
			if err := (Header{name, want.refused}).Check(); err == nil {
				t.Errorf("%s: %s was taken", name, want.refused)
			}
		}
	}
}

// A local part in UTF-8 in an extra field needs SMTPUTF8, too.
func TestFurtherAddressesNeedSMTPUTF8(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{"用户@example.com": true, "张三 <z@例子.中国>": false} {
		c := compose(t, &Message{From: "a@b.c", To: []string{"x@y.z"}, Headers: []Header{{"Mail-Followup-To", value}}})
		if c.NeedsSMTPUTF8() != want {
			t.Errorf("%s: SMTPUTF8 %v", value, c.NeedsSMTPUTF8())
		}
	}
}

func FuzzFurtherField(f *testing.F) {
	for kind, names := range knownFields {
		f.Add(names[0], map[fieldKind]string{addressField: "张三<z@例子.中国>, x@y.z", idField: "<a@b> c@d", uriField: "<mailto:a@b>, (c) <x:y>"}[kind])
	}
	f.Add("List-ID", "雁 <a.b>")
	f.Fuzz(func(t *testing.T, name, value string) {
		h := Header{name, value}
		if h.Check() != nil {
			return
		}
		var folder folder
		folder.extraField(h)
		text := string(folder.buf)
		if !strings.HasSuffix(text, "\r\n") || strings.Contains(text, "\r\n\r\n") {
			t.Fatalf("%q", text)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
			if len(line) > maxLine || strings.ContainsAny(line, "\r\n") {
				t.Fatalf("%q", line)
			}
		}
		for _, after := range strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n")[1:] {
			if !strings.HasPrefix(after, " ") && !strings.HasPrefix(after, "\t") {
				t.Fatalf("%q is a field of its own", after)
			}
		}
	})
}
