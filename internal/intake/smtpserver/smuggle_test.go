package smtpserver

import (
	"context"
	"fmt"
	"io"

	"strings"
	"testing"
)

// falseEnds are the sequences that some servers take for the end of a message (SMTP smuggling).
var falseEnds = []string{
	"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\n", "\r.\r\n", "\r\n.\r", "\n.\r", "\r\r.\r\r", "\r\n.\x00\r\n", "\r\n\x00.\r\n",
	"\r\n.\r\r\n", "\r\n..\r\n", "\n\r.\n\r", "\r\n. \r\n", "\r\n.\t\r\n", "\n\n.\n\n",
}

const smuggled = "MAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nstolen\r\n"

// unstuffed is what RFC 5321 section 4.5.2 makes of a text: the first dot of a line goes.
func unstuffed(s string) string { return strings.ReplaceAll("\r\n"+s, "\r\n.", "\r\n")[2:] }

// talkSplit gives the input in two parts, so that a read ends at any place.
func talkSplit(t *testing.T, input string, at int) (*fakeDesk, string) {
	t.Helper()
	server := New(localOptions())
	d := &fakeDesk{}
	server.desk = d
	var said strings.Builder
	server.ServeConn(context.Background(), Stdio(io.MultiReader(strings.NewReader(input[:at]), strings.NewReader(input[at:])), &said))
	return d, said.String()
}

func TestSmugglingStaysOneMessage(t *testing.T) {
	t.Parallel()
	for _, end := range falseEnds {
		t.Run(fmt.Sprintf("%q", end), func(t *testing.T) {
			t.Parallel()
			text := "Subject: s\r\n\r\nfirst" + end + smuggled
			stuffed := "EHLO me\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\n"
			data := stuffed + "DATA\r\n" + text + ".\r\nQUIT\r\n"
			chunk := stuffed + fmt.Sprintf("BDAT %d LAST\r\n", len(text)) + text + "QUIT\r\n"
			chunks := stuffed + fmt.Sprintf("BDAT %d\r\n", len(text)-9) + text[:len(text)-9] + "BDAT 9 LAST\r\n" + text[len(text)-9:] + "QUIT\r\n"
			for _, c := range []struct{ input, want string }{{data, unstuffed(text)}, {chunk, text}, {chunks, text}} {
				for at := range len(c.input) + 1 {
					d, said := talkSplit(t, c.input, at)
					if all := d.messages(); len(all) != 1 || all[0].text != c.want || all[0].from != "a@example.com" {
						t.Fatalf("split at %d: %d messages, %+v, want %q\n%s", at, len(all), all, c.want, said)
					}
					if !strings.HasSuffix(said, "kept as 4711\r\n221 2.0.0 bye\r\n") {
						t.Fatalf("split at %d: said %s", at, said)
					}
				}
			}
		})
	}
}

// TestEveryDotAtEveryPlace compares the reader with RFC 5321, for all short texts.
func TestEveryDotAtEveryPlace(t *testing.T) {
	t.Parallel()
	const letters = ".\r\nx"
	for n := range 7 {
		for i := range 1 << (2 * n) {
			var b strings.Builder
			for k := range n {
				b.WriteByte(letters[i>>(2*k)&3])
			}
			text := b.String()
			whole := "\r\n" + text + "\r\n.\r\n"
			end := strings.Index(whole, "\r\n.\r\n")
			want := unstuffed(whole[2 : end+2])
			for _, room := range []int{1, 2, 64} {
				if got, rest := readDots(t, whole[2:], room); got != want || rest != whole[end+5:] {
					t.Fatalf("%q in steps of %d: read %q and left %q, want %q and %q", whole[2:], room, got, rest, want, whole[end+5:])
				}
			}
		}
	}
}

// readDots reads a message of DATA with a buffer of a size, and returns it and what follows.
func readDots(t *testing.T, s string, room int) (text, rest string) {
	t.Helper()
	c := &clientSession{server: New(localOptions()), ctx: context.Background()}
	c.o = &c.server.o
	c.conn = Stdio(strings.NewReader(s), io.Discard)
	c.in.session, c.out.session = c, c
	defer c.in.release()
	d := &dotBody{arrivingBody: c.newBody()}
	var b strings.Builder
	if _, err := io.CopyBuffer(struct{ io.Writer }{&b}, struct{ io.Reader }{d}, make([]byte, room)); err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return b.String(), string(c.in.data[c.in.first:c.in.last])
}
