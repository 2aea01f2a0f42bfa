package message

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// generate returns a random message: every kind of text, name, header and attachment in odd
// lengths.
func generate(r *rand.Rand) *Message {
	m := &Message{
		From:     generateMailbox(r),
		Subject:  generateLine(r, 200),
		EightBit: r.IntN(2) == 0,
	}
	for range 1 + r.IntN(4) {
		m.To = append(m.To, generateMailbox(r))
	}
	for range r.IntN(3) {
		m.Cc = append(m.Cc, generateMailbox(r))
	}
	if r.IntN(4) > 0 {
		m.Text = generateText(r)
	}
	if r.IntN(2) > 0 {
		m.HTML = generateText(r)
	}
	for i := range r.IntN(3) {
		m.Headers = append(m.Headers, Header{fmt.Sprintf("X-Header-%d", i), generateLine(r, 400)})
	}
	for i := range r.IntN(4) {
		data := make([]byte, r.IntN(200))
		if r.IntN(4) == 0 {
			data = make([]byte, inputBlock-2+r.IntN(5))
		}
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		a := Bytes(generateName(r), data)
		if r.IntN(2) == 0 {
			a = Reader(a.Name, io.MultiReader(bytes.NewReader(data)))
		}
		if r.IntN(3) == 0 {
			a.Inline, a.ContentID = true, fmt.Sprintf("id%d", i)
		}
		m.Attachments = append(m.Attachments, a)
	}
	return m
}

var alphabets = []string{
	"abcdefghijklmnopqrstuvwxyz ABCDEF  ",
	"你好世界邮件测试，。 ab",
	"äöüß éèê xyz =?_",
	"👨‍👩‍👧🇨🇳👍🏽e\u0301 ",
	`"\()<>@,;:.[]=?'%*+-/ `,
}

func generateLine(r *rand.Rand, most int) string {
	letters := []rune(alphabets[r.IntN(len(alphabets))])
	var b strings.Builder
	for n := r.IntN(most); b.Len() < n; {
		if r.IntN(200) == 0 {
			b.WriteByte('\t')
		}
		b.WriteRune(letters[r.IntN(len(letters))])
	}
	return b.String()
}

func generateName(r *rand.Rand) string {
	name := strings.NewReplacer("/", "", `\`, "", "\t", "").Replace(generateLine(r, 300))
	return "n" + name + []string{"", ".pdf", ".txt", ".pptx"}[r.IntN(4)]
}

func generateMailbox(r *rand.Rand) string {
	address := []string{"a@example.com", "x.y+z@b.例子.测试", `"q,q"@example.com`, "用户@example.com"}[r.IntN(4)]
	name := strings.ReplaceAll(generateLine(r, 120), "\t", "")
	return quotedString(name) + " <" + address + ">"
}

func generateText(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(12) {
		b.WriteString([]string{"", "From ", ".", "--=_x", ".."}[r.IntN(5)])
		b.WriteString(generateLine(r, []int{3, 80, 1200}[r.IntN(3)]))
		b.WriteString([]string{"\n", "\r\n", "\r", " \n", ""}[r.IntN(5)])
	}
	return b.String()
}

// checkMessage composes m and checks the invariants of all messages.
func checkMessage(t testing.TB, m *Message) {
	t.Helper()
	c, err := (&Composer{now: clock}).Compose(m)
	if err != nil {
		t.Fatalf("%v\n%+v", err, m)
	}
	defer c.Close()
	wire := write(t, c)
	checkFolding(t, wire)
	p := parse(t, wire)
	checkAttachments(t, m, p)
	seven, ok := c.SevenBit()
	if !ok || seven.EightBit() {
		t.Fatal("no 7-bit form")
	}
	sevenWire := write(t, seven)
	head, body, _ := bytes.Cut(sevenWire, []byte("\r\n\r\n"))
	if !isASCII(string(body)) || !c.NeedsSMTPUTF8() && !isASCII(string(head)) {
		t.Fatal("the 7-bit form holds 8-bit octets")
	}
	if _, body, _ := bytes.Cut(wire, []byte("\r\n\r\n")); isASCII(string(body)) == c.EightBit() {
		t.Fatalf("EightBit is %v", c.EightBit())
	}
	checkBinary(t, m, c, sevenWire)
	if again := write(t, c); !bytes.Equal(again, wire) {
		t.Fatal("laying out another form has changed this one")
	}
	for _, f := range unfold(t, wire) {
		if f.Name == "Subject" {
			if got, want := decodeUnstructured(t, f.Value), strings.Trim(m.Subject, " \t"); got != want {
				t.Fatalf("subject %q became %q", want, got)
			}
		}
	}
}

// checkBinary checks the form for BINARYMIME, if there is one.
func checkBinary(t testing.TB, m *Message, c *Content, sevenWire []byte) {
	t.Helper()
	octets := 0
	for _, src := range c.sources.list {
		octets += int(src.size)
	}
	binary, ok := c.Binary()
	if ok && octets == 0 || !ok && octets > 300 {
		t.Fatalf("binary: %v with %d octets of attachments", ok, octets)
	}
	if !ok {
		return
	}
	if !binary.IsBinary() || binary.EightBit() || binary.MessageID() != c.MessageID() || binary.Size() >= c.Size() {
		t.Fatalf("binary %v, 8-bit %v, %s, %d octets instead of %d", binary.IsBinary(), binary.EightBit(), binary.MessageID(), binary.Size(), c.Size())
	}
	wire := write(t, binary)
	p := parse(t, wire)
	checkAttachments(t, m, p)
	for _, l := range p.leaves {
		if (l.encoding == "binary") != (l.disposition != "") {
			t.Fatalf("%s %s is %s", l.disposition, l.contentType, l.encoding)
		}
	}
	if again, ok := binary.Binary(); !ok || again != binary {
		t.Fatal("the binary form of the binary form is another")
	}
	seven, ok := binary.SevenBit()
	if !ok || seven.IsBinary() || !bytes.Equal(write(t, seven), sevenWire) {
		t.Fatal("the way back to 7bit leads elsewhere")
	}
}

func checkAttachments(t testing.TB, m *Message, p parsed) {
	t.Helper()
	found := 0
	for _, l := range p.leaves {
		if l.disposition == "" {
			want := normalizeLineEnds(m.Text)
			if l.contentType == "text/html" {
				want = normalizeLineEnds(m.HTML)
			}
			if got := string(l.body); got != want && got != want+"\r\n" {
				t.Fatalf("%s %s: %q became %q", l.contentType, l.encoding, want, got)
			}
			continue
		}
		found++
		for _, a := range m.Attachments {
			a.Name = toNFC(a.Name)
			if a.Name == l.fileName && a.Data != nil && bytes.Equal(a.Data, l.body) {
				l.fileName = ""
				break
			}
			if a.Name == l.fileName && a.Data == nil {
				l.fileName = ""
			}
		}
		if l.fileName != "" {
			t.Fatalf("%q with %d octets is no attachment of %+v", l.fileName, len(l.body), m.Attachments)
		}
	}
	if found != len(m.Attachments) {
		t.Fatalf("%d attachments of %d", found, len(m.Attachments))
	}
}

// decodeUnstructured decodes encoded words strictly by RFC 2047: only the blanks between two of
// them are dropped.
func decodeUnstructured(t testing.TB, value string) string {
	t.Helper()
	var b strings.Builder
	after := false
	for blank, word := range splitWords(strings.Trim(value, blanks)) {
		if len(word) > 75 && strings.HasPrefix(word, "=?") {
			t.Fatalf("an encoded word of %d characters", len(word))
		}
		text, encoded := decodeWord(word)
		if !(after && encoded) {
			b.WriteString(blank)
		}
		b.WriteString(text)
		after = encoded
	}
	return b.String()
}

func TestComposeProperties(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		checkMessage(t, generate(rand.New(rand.NewPCG(seed, 1))))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzCompose(f *testing.F) {
	f.Add("Hello", "你好\n", "<b>x</b>", "报告.pdf", []byte{1, 2, 3}, true)
	f.Add("Re: =?x", "From me\r.\n--=_", strings.Repeat("x", 1200), "a b.txt", []byte{}, false)
	f.Fuzz(func(t *testing.T, subject, text, html, name string, data []byte, eight bool) {
		m := &Message{From: "雁 <a@example.com>", To: []string{"b@example.com"}, Subject: subject,
			Text: text, HTML: html, Attachments: []Attachment{Bytes(name, data)}, EightBit: eight}
		c, err := Compose(m)
		if err != nil {
			return // refused input has its own tests
		}
		c.Close()
		checkMessage(t, m)
	})
}

func FuzzHeader(f *testing.F) {
	f.Add("你好", "X")
	f.Add("plain  two\tblanks 你 more =?utf-8?q?x?=", "List-Id")
	f.Add(strings.Repeat("é", 600), "X-Long")
	f.Fuzz(func(t *testing.T, value, name string) {
		h := Header{Name: name, Value: value}
		if checkExtra(h) != nil {
			return
		}
		var w folder
		w.extraField(h)
		w.subjectField(value)
		wire := append(w.buf, '\r', '\n')
		checkWire(t, wire)
		checkFolding(t, wire)
		fields := unfold(t, wire)
		if len(fields) != 2 || fields[0].Name != name || fields[1].Name != "Subject" {
			t.Fatalf("fields %q", fields)
		}
		want := strings.Trim(value, " \t")
		kind := kindOfField(name)
		// Brackets are added to IDs, URIs and lists; addresses have their own fuzz targets.
		bracketed := kind == idField || kind == uriField || kind == listField
		bare := strings.NewReplacer("<", "", ">", "", " ", "", "\t", "", ",", "").Replace
		if kind != addressField && isASCII(value) {
			if got := strings.TrimPrefix(fields[0].Value, " "); got != want && !(bracketed && bare(got) == bare(want)) {
				t.Fatalf("%q became %q", want, got)
			}
		} else if kind == textField && !strings.Contains(value, "=?") && decodeUnstructured(t, fields[0].Value) != want {
			t.Fatalf("%q became %q", want, fields[0].Value)
		}
		if got := decodeUnstructured(t, fields[1].Value); got != want {
			t.Fatalf("subject %q became %q by %q", want, got, fields[1].Value)
		}
	})
}

func FuzzMailboxList(f *testing.F) {
	f.Add(`"Name, x" <a@b>, 李四 <c@d>；e@f (comment)`)
	f.Add(`=?utf-8?b?5L2g?= =?utf-8?b?5aW9?= <"a\"b"@[127.0.0.1]>,`)
	f.Fuzz(func(t *testing.T, s string) {
		list, err := ParseMailboxList(s)
		if err != nil {
			return
		}
		var again []string
		for _, m := range list {
			back, err := ParseMailbox(m.String())
			if err != nil || back.Name != m.Name || !back.Address.Equal(m.Address) {
				t.Fatalf("%q: %q read back as %q, %v", s, m, back, err)
			}
			again = append(again, m.String())
		}
		back, err := ParseMailboxList(strings.Join(again, ", "))
		if err != nil || len(back) != len(list) {
			t.Fatalf("%q: list %q read back as %q, %v", s, list, back, err)
		}
		var w folder
		w.mailboxField("From", list)
		checkWire(t, w.buf)
		if !strings.Contains(s, "=?") {
			checkFolding(t, w.buf)
		}
		parsed, err := mailboxesOf([]rawField{{"from", []byte(unfold(t, w.buf)[0].Value)}}, "from")
		if err != nil || len(parsed) != len(list) {
			t.Fatalf("%q on the wire is %q: %q, %v", s, w.buf, parsed, err)
		}
		for i, m := range parsed {
			// "2"@a and 2@a are the same mailbox (RFC 5321 section 4.1.2); reading a header drops
			// unnecessary quotes.
			bare := func(a Mailbox) string { return strings.ReplaceAll(a.Address.Wire(), `"`, "") }
			if m.Name != list[i].Name || !m.Address.Equal(list[i].Address) && !strings.EqualFold(bare(m), bare(list[i])) {
				t.Fatalf("%q on the wire is %q, read as %q", list[i], w.buf, m)
			}
		}
	})
}

func FuzzRaw(f *testing.F) {
	f.Add([]byte("From: a@b.c\nBcc : x\n\ty\r\rbody\r\n.\n"))
	f.Add([]byte("\xef\xbb\xbfFrom x\nFrom: a@b.c\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := ReadRaw(bytes.NewReader(in))
		if err != nil {
			return
		}
		defer c.Close()
		c.Envelope()
		wire := write(t, c)
		for _, h := range unfold(t, wire) {
			if strings.EqualFold(strings.TrimRight(h.Name, " \t"), "bcc") {
				t.Fatalf("bcc in %q", wire)
			}
		}
		again, err := ReadRaw(bytes.NewReader(wire))
		if err != nil {
			t.Fatalf("%q refused: %v", wire, err)
		}
		if twice := write(t, again); !bytes.Equal(twice, wire) {
			t.Fatalf("%q became %q", wire, twice)
		}
	})
}
