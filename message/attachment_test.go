package message

import (
	"bytes"
	"io"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// typed returns the Content-Type of one attachment, without its name.
func typed(t *testing.T, a Attachment) string {
	t.Helper()
	l := parse(t, write(t, compose(t, &Message{From: "a@b.c", To: []string{"x@y.z"}, Text: "t", Attachments: []Attachment{a}}))).leaves[1]
	delete(l.params, "name")
	return mime.FormatMediaType(l.contentType, l.params)
}

// The charset of a text is detected, in whatever way the text is given.
func TestCharsetOfTexts(t *testing.T) {
	t.Parallel()
	var utf16LE bytes.Buffer
	utf16LE.WriteString("\xff\xfe")
	for _, u := range utf16.Encode([]rune("姓名,值\n")) {
		utf16LE.Write([]byte{byte(u), byte(u >> 8)})
	}
	long := strings.Repeat("a", inputBlock-1) + "雁" + strings.Repeat("雁", 20_000)
	const gbk = "\xd0\xd5\xc3\xfb,\xd6\xb5\n"
	tests := []struct{ name, given, data, want string }{
		{"data.csv", "", "姓名,值\n", "text/csv; charset=utf-8"},
		{"data.csv", "", "\ufeff姓名,值\n", "text/csv; charset=utf-8"},
		{"data.csv", "", utf16LE.String(), "text/csv; charset=utf-16"},
		{"data.csv", "", gbk, "application/octet-stream"},
		{"data.csv", "text/csv; charset=GBK", gbk, "text/csv; charset=GBK"},
		{"data.csv", "text/csv", gbk, "text/csv"},
		{"data.csv", "text/csv", "值\n", "text/csv; charset=utf-8"},
		{"a.txt", "", "", "text/plain; charset=utf-8"},
		{"a.txt", "", long, "text/plain; charset=utf-8"},
		{"a.txt", "", long + "\xff", "application/octet-stream"},
		{"a.txt", "", long[:len(long)-1], "application/octet-stream"},
		{"a.txt", "", "a\x00b", "application/octet-stream"},
		{"jp.txt", "", "\x1b$B$3$s\x1b(B", "application/octet-stream"},
		{"color.log", "", "\x1b[31mred\x1b[0m", "text/plain; charset=utf-8"},
		{"a.html", "", "<meta charset=\"utf-8\"><p>雁", "text/html; charset=utf-8"},
		{"a.html", "", "<html><meta http-equiv=Content-Type content='text/html; charset=GB2312'><p>" + gbk, "text/html; charset=gb2312"},
		{"a.html", "", "<p>" + gbk, "application/octet-stream"},
		{"a.ics", "", "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n", "text/calendar; charset=utf-8; method=REQUEST"},
		{"a.ics", "", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "text/calendar; charset=utf-8"},
		{"a.json", "", "{}", "application/json"},
		{"README", "", "读我\n", "text/plain; charset=utf-8"},
		{"63", "", gbk, "application/octet-stream"},
	}
	dir := t.TempDir()
	for _, tt := range tests {
		path := filepath.Join(dir, tt.name)
		if err := os.WriteFile(path, []byte(tt.data), 0o600); err != nil {
			t.Fatal(err)
		}
		for how, a := range map[string]Attachment{"data": Bytes(tt.name, []byte(tt.data)), "file": File(path),
			"seeker": Reader(tt.name, strings.NewReader(tt.data)), "pipe": Reader(tt.name, io.MultiReader(strings.NewReader(tt.data)))} {
			a.ContentType = tt.given
			if got := typed(t, a); got != tt.want {
				t.Errorf("%s of %.20q as %s is %s, want %s", tt.name, tt.data, how, got, tt.want)
			}
		}
	}
}

// A Composer inspects a file once, and again if it changed.
func TestComposerKeepsCharset(t *testing.T) {
	t.Parallel()
	path := oldFile(t, filepath.Join(t.TempDir(), "a.txt"), []byte("雁"))
	c := &Composer{now: clock}
	charset := func() string {
		content, err := c.Compose(&Message{From: "a@b.c", To: []string{"x@y.z"}, Attachments: []Attachment{File(path)}})
		if err != nil {
			t.Fatal(err)
		}
		defer content.Close()
		return parse(t, write(t, content)).leaves[0].params["charset"]
	}
	for range 2 {
		if got := charset(); got != "utf-8" {
			t.Errorf("charset %q", got)
		}
	}
	oldFile(t, path, []byte("\xd1\xe3!!"))
	if got := charset(); got != "" {
		t.Errorf("charset %q after the change", got)
	}
}

// The type follows from the extension, or from the first octets if the extension is unknown.
func TestTypeOfHead(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]string{
		"\x89PNG\r\n\x1a\nx": "image/png", "\xff\xd8\xff\xe0": "image/jpeg", "GIF89a": "image/gif", "II*\x00": "image/tiff",
		"RIFF\x10\x00\x00\x00WEBPVP8 ": "image/webp", "RIFF\x10\x00\x00\x00WAVEfmt ": "audio/wav", "RIFF\x10\x00\x00\x00XXXX": "",
		"\x00\x00\x00\x1cftypavif\x00": "image/avif", "\x00\x00\x00\x1cftypheic\x00": "image/heic", "\x00\x00\x00\x1cftypmif1\x00": "image/heif",
		"\x00\x00\x00\x1cftypisom\x00": "video/mp4", "\x00\x00\x00\x14ftypqt  \x00": "video/quicktime", "%PDF-1.7": "application/pdf",
		"PK\x03\x04": "application/zip", "\x1f\x8b\x08\x00": "application/gzip", "{\\rtf1": "application/rtf",
		"<svg xmlns=": "image/svg+xml", "<?xml version='1.0'?>\n<svg>": "image/svg+xml", "hello\n": "text/plain", "雁\xe9\x9b": "text/plain", "\xff\xfe\xff": "", "a\x01": "", "": "",
	} {
		if got := typeOfHead([]byte(head)); got != want {
			t.Errorf("%q is %q, want %q", head, got, want)
		}
	}
	png := "\x89PNG\r\n\x1a\n"
	for name, want := range map[string]string{"photo": "image/png", "photo.xyz": "image/png", "photo.avif": "image/avif", "photo.bin": "application/octet-stream"} {
		if got := typed(t, Bytes(name, []byte(png))); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

// Types of the extensions that users reported, and of current picture and document formats.
func TestExtensions(t *testing.T) {
	t.Parallel()
	for _, ext := range strings.Fields(`avif heic heif tif tiff ico jfif apng odt ods odp epub rtf m4a webm patch diff js yaml yml
		png jpg jpeg gif webp svg bmp pdf zip docx xlsx pptx csv txt html md ics vcf eml mp3 mp4 mov opus flac`) {
		if got := typeOfExtension("." + ext); got == "" || got == octetStream {
			t.Errorf(".%s has no type", ext)
		} else if _, _, err := mime.ParseMediaType(got); err != nil {
			t.Errorf(".%s: %v", ext, err)
		}
	}
}

// A name is written in the form that Windows and the recipient's search expect.
func TestNamesAreComposed(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"re\u0301sume\u0301.pdf": "résumé.pdf", "\u1112\u1161\u11ab.txt": "한.txt", "\ufa19社.txt": "\ufa19社.txt",
		"e\u0301\ufa19e\u0301": "é\ufa19é", "5 \u212a.txt": "5 \u212a.txt", "a.txt": "a.txt"} {
		if got := toNFC(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
		p := parse(t, write(t, compose(t, &Message{From: quotedString(in) + " <a@b.c>", To: []string{"x@y.z"}, Attachments: []Attachment{Bytes(in, nil)}})))
		if got := p.leaves[0].fileName; got != want {
			t.Errorf("%q is sent as %q", in, got)
		}
		for _, f := range unfold(t, write(t, compose(t, &Message{From: quotedString(in) + " <a@b.c>", To: []string{"x@y.z"}}))) {
			if m, err := ParseMailbox(f.Value); f.Name == "From" && (err != nil || m.Name != want) {
				t.Errorf("From %q is sent as %q, %v", in, m.Name, err)
			}
		}
	}
}

// A name that is already encoded is not encoded again; one that only resembles an encoded name is
// sent as it is.
func TestNamesThatAreEncodedAlready(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"=?UTF-8?B?5oql5ZGKLnR4dA==?=": "报告.txt", "=?utf-8?Q?=E6=8A=A5?= =?gbk?b?uOY=?=": "报告", "=?x": "=?x",
		"=?UTF-8?B?5oql5ZGKLnR4dA==?= (1)": "=?UTF-8?B?5oql5ZGKLnR4dA==?= (1)"} {
		if got := parse(t, write(t, compose(t, &Message{From: "a@b.c", To: []string{"x@y.z"}, Attachments: []Attachment{Bytes(in, nil)}}))).leaves[0].fileName; got != want {
			t.Errorf("%q is sent as %q, want %q", in, got, want)
		}
	}
	_, err := Compose(&Message{From: "a@b.c", To: []string{"x@y.z"}, Attachments: []Attachment{Bytes("=?utf-8?q?..=2Fx?=", nil)}})
	if err == nil {
		t.Error("an encoded path was taken for a name")
	}
}

// Content-Disposition contains one filename, whatever the name is.
func TestOneFileName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a.txt", "a b.txt", "报告.txt", strings.Repeat("x", 70) + ".txt", strings.Repeat("报", 90) + ".txt", `"q".txt`, "a;b=c.txt", "=?x", "50%*'s.txt"} {
		var f folder
		f.fieldWithParameters("Content-Disposition", "attachment", fileNameParameters(name))
		text := string(f.buf)
		plain, extended := strings.Count(text, "filename="), strings.Count(text, "filename*=")+strings.Count(text, "filename*0*=")
		if plain+extended != 1 || isASCII(name) && !strings.Contains(name, "=?") && !strings.Contains(name, `"`) && plain != 1 || strings.Contains(text, "=?UTF-8") {
			t.Errorf("%s", text)
		}
	}
}
