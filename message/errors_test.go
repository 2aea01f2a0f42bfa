package message

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestComposeRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	long := strings.Repeat("x", 1000)
	with := func(a Attachment) Message { return Message{Attachments: []Attachment{Bytes("0", nil), a}} }
	header := func(name, value string) Message { return Message{Headers: []Header{{name, value}}} }
	tests := []struct {
		name string
		m    Message
		want string
	}{
		{"no from", Message{From: " "}, "from: is empty"},
		{"bad from", Message{From: "nobody"}, `from "nobody": address "nobody": no @`},
		{"several from", Message{From: "a@b.c, d@e.f"}, "from: has 2 addresses; set Sender"},
		{"two senders", Message{Sender: "a@b.c, d@e.f"}, "sender: "},
		{"bad to", Message{To: []string{"a@b.c", "d@e.f", "x y@z"}}, `to[2] "x y@z": `},
		{"empty to", Message{To: []string{""}}, "to[0]: is empty"},
		{"to of commas", Message{To: []string{",，;"}}, `to[0] ",，;": contains no address`},
		{"bad in a list", Message{Cc: []string{"a@b.c; oops; d@e.f"}}, `cc[0] "a@b.c; oops; d@e.f": address "oops": no @`},
		{"group", Message{To: []string{"team: a@b.c;"}}, `to[0] "team: a@b.c;": address groups`},
		{"date", Message{Date: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, "date: the year 10000"},
		{"message id", Message{MessageID: "nodomain"}, `messageID "nodomain": is not of the form`},
		{"message id space", Message{MessageID: "<a b@c>"}, `messageID "<a b@c>": contains ' '`},
		{"message id open", Message{MessageID: "<a@c"}, `messageID "<a@c": has no closing >`},
		{"text not UTF-8", Message{Text: "\xff"}, "text: is not UTF-8"},
		{"html not UTF-8", Message{HTML: "\xff"}, "html: is not UTF-8"},
		{"subject not UTF-8", Message{Subject: "\xff"}, "subject: is not UTF-8"},
		{"subject with NUL", Message{Subject: "a\x00"}, "subject: contains a NUL character"},
		{"missing file", with(File(filepath.Join(dir, "x.pdf"))), `attachments[1] "x.pdf": open `},
		{"folder", with(File(dir)), "is a folder"},
		{"two sources", with(Attachment{Name: "x", Path: "p", Data: []byte{}}), `attachments[1] "x": set only one of`},
		{"no source", with(Attachment{Name: "x"}), `attachments[1] "x": set one of`},
		{"no path", with(File("")), "set one of Path, Data and Reader"},
		{"no name", with(Bytes("", nil)), `attachments[1] "": its name is missing`},
		{"path as name", with(Bytes("../x", nil)), `attachments[1] "../x": its name contains a folder`},
		{"windows path as name", with(Bytes(`C:\x`, nil)), "its name contains a folder"},
		{"long name", with(Bytes(strings.Repeat("x", 766), nil)), "its name is longer than 765"},
		{"content type", with(Attachment{Name: "x", Data: []byte{}, ContentType: "pdf"}), `content type "pdf" is not a media type`},
		{"partial message attachment", with(Attachment{Name: "x", Data: []byte{}, ContentType: "Message/Partial"}), "message/partial can't be encoded as base64"},
		{"multipart attachment", with(Attachment{Name: "x", Data: []byte{}, ContentType: "multipart/mixed; boundary=x"}), "multipart/mixed can't be encoded as base64"},
		{"content id", with(Attachment{Name: "x", Data: []byte{}, ContentID: "a b"}), `content ID "a b": contains ' '`},
		{"inline without name", Message{HTML: "h", Attachments: []Attachment{{Data: []byte{}, Inline: true}}}, "an inline attachment needs a name or a content ID"},
		{"inline of one name", Message{HTML: "h", Attachments: []Attachment{{Name: "x", Data: []byte{}, Inline: true}, {Name: "x", Data: []byte{}, Inline: true}}},
			`attachments[1] "x": another inline attachment has the same name`},
		{"same content id", Message{Attachments: []Attachment{{Name: "x", Data: []byte{}, ContentID: "a"}, {Name: "y", Data: []byte{}, ContentID: "<a>"}}},
			`attachments[1] "y": content ID "a" is also that of attachments[0]`},
		{"header name", header("X Y", "v"), `headers[0] "X Y": its name contains ' '`},
		{"header name colon", header("X:", "v"), `headers[0] "X:": its name contains ':'`},
		{"header name UTF-8", header("主题", "v"), `headers[0] "主题": its name contains`},
		{"header no name", header("", "v"), `headers[0] "": its name is empty`},
		{"header long name", header(long, "v"), "its name is longer"},
		{"header long word", header("References", "<a@b> <"+long+"@b>"), `headers[0] "References": its value contains more than 987`},
		{"addresses", header("Mail-Followup-To", "张三"), `headers[0] "Mail-Followup-To": its value: address "张三": no @`},
		{"no addresses", header("Errors-To", " "), `headers[0] "Errors-To": its value is empty`},
		{"id", header("In-Reply-To", "your letter of Monday"), `its value contains "your", which is not a message ID`},
		{"open id", header("References", "<a@b"), `its value contains "<a@b": an angle bracket is missing`},
		{"id in Chinese", header("References", "<张@b>"), `its value contains '张'; this field allows ASCII only`},
		{"URI", header("List-Unsubscribe", "click here"), "its value must be URIs in angle brackets"},
		{"URI in Chinese", header("List-Help", "<https://例子.中国/>"), "this field allows ASCII only"},
		{"no URI", header("List-Archive", "<archive>"), `its value contains "archive", which is not a URI`},
		{"list id", header("List-ID", "<a b>"), "its value must be the ID of a list"},
		{"code", header("Auto-Submitted", "自动"), "this field allows ASCII only"},
		{"two references", Message{Headers: []Header{{"References", "<a@b>"}, {"references", "<c@d>"}}}, `headers[1] "references": may occur only once`},
		{"from twice", header("FROM", "v"), "the message has a dedicated field for it"},
		{"bcc", header("Bcc", "v"), "use the message's Bcc field instead, which is not transmitted"},
		{"content type header", header("Content-Type", "v"), "it is determined by the text, the HTML and the attachments"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := tt.m
			if m.From == "" {
				m.From = "a@example.com"
			}
			c, err := Compose(&m)
			if err == nil {
				t.Fatalf("composed:\n%s", write(t, c))
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q lacks %q", err, tt.want)
			}
			if tt.name == "missing file" && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v is not fs.ErrNotExist", err)
			}
		})
	}
}

// Every field that Compose writes itself is refused in Headers.
func TestComposeOwnsItsFields(t *testing.T) {
	t.Parallel()
	c := compose(t, &Message{From: "a@example.com, b@example.com", Sender: "c@example.com", ReplyTo: []string{"d@example.com"},
		To: []string{"e@example.com"}, Cc: []string{"f@example.com"}, Bcc: []string{"g@example.com"}, Subject: "s", Text: "t"})
	fields := unfold(t, write(t, c))
	if len(fields) != 11 {
		t.Errorf("%d fields: %q", len(fields), fields)
	}
	for _, f := range fields {
		if err := checkExtra(Header{strings.ToUpper(f.Name), "x"}); err == nil {
			t.Errorf("%s may be written twice", f.Name)
		}
	}
}
