package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"strings"
)

// arrivals holds the messages that a sink received since the last query.
type arrivals struct {
	Messages    []arrived
	Count       int // of messages; the only field that Postfix's sink fills
	Connections []connected
	Open        int // open connections
	Failure     string
}

// arrived is the content of a received message.
type arrived struct {
	Subject    string
	Recipients int
	Text       string // with uniform line ends and none at its end, shortened by brief
	Attachment []byte // SHA-256; nil if there was none
	Problem    string // the reason why it could not be parsed
}

// checkArrivals compares the received messages with the sent ones: every message once,
// to as many recipients, and complete. The subjects of sent must differ.
func checkArrivals(messages []arrived, sent []mail) error {
	if len(messages) != len(sent) {
		return fmt.Errorf("%d messages arrived, %d were sent", len(messages), len(sent))
	}
	expected := make(map[string]mail, len(sent))
	for _, m := range sent {
		expected[m.subject] = m
	}
	sums := map[string][]byte{}
	for _, a := range messages {
		if a.Problem != "" {
			return fmt.Errorf("an unreadable message arrived: %s", a.Problem)
		}
		m, ok := expected[a.Subject]
		if !ok {
			return fmt.Errorf("a message arrived that was not sent, or twice: %q", a.Subject)
		}
		delete(expected, a.Subject)
		if a.Recipients != len(m.to) {
			return fmt.Errorf("%q arrived for %d recipients, not %d", a.Subject, a.Recipients, len(m.to))
		}
		if a.Text != briefText(normalizeLines(m.text)) {
			return fmt.Errorf("the text of %q arrived changed: %s", a.Subject, a.Text)
		}
		if m.attachment != "" && sums[m.attachment] == nil {
			sum, err := fileSum(m.attachment)
			if err != nil {
				return err
			}
			sums[m.attachment] = sum
		}
		if !bytes.Equal(a.Attachment, sums[m.attachment]) {
			return fmt.Errorf("the attachment of %q did not arrive, or not whole", a.Subject)
		}
	}
	return nil
}

// parseMessage parses a message. A message that can't be parsed has a Problem.
func parseMessage(m taken) arrived {
	a := arrived{Recipients: m.recipients}
	data := m.data
	if m.stuffed {
		data = unstuffDots(data)
	}
	if err := a.parseEntity(data, true); err != nil {
		a.Problem = err.Error()
	}
	a.Text = briefText(normalizeLines(a.Text))
	return a
}

// briefText returns a text, or for a long one a digest: tens of thousands travel
// from the sink's process.
func briefText(text string) string {
	if len(text) <= 100 {
		return text
	}
	return fmt.Sprintf("%d octets with SHA-256 %x", len(text), sha256.Sum256([]byte(text)))
}

// unstuffDots removes the dot that was added before one at the start of a line, in
// place (RFC 5321 section 4.5.2).
func unstuffDots(data []byte) []byte {
	rest := data
	if bytes.HasPrefix(rest, []byte(".")) {
		rest = rest[1:]
	}
	kept := data[:0]
	for {
		at := bytes.Index(rest, []byte("\r\n."))
		if at < 0 {
			break
		}
		kept = append(kept, rest[:at+2]...)
		rest = rest[at+3:]
	}
	if len(kept) == 0 {
		return rest
	}
	return append(kept, rest...)
}

// parseEntity parses an entity: the message itself or a part of it.
func (a *arrived) parseEntity(entity []byte, top bool) error {
	end := bytes.Index(entity, []byte("\r\n\r\n"))
	if end < 0 {
		return errors.New("there is no empty line behind the header")
	}
	message, err := netmail.ReadMessage(bytes.NewReader(entity[:end+4]))
	if err != nil {
		return err
	}
	header, body := message.Header, entity[end+4:]
	if top {
		if a.Subject, err = new(mime.WordDecoder).DecodeHeader(header.Get("Subject")); err != nil {
			return err
		}
	}
	mediaType, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return err
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		return a.parseParts(body, []byte("--"+parameters["boundary"]))
	}
	decode := decoder(header.Get("Content-Transfer-Encoding"))
	if strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
		sum := sha256.New()
		err := decode(sum, body)
		a.Attachment = sum.Sum(nil)
		return err
	}
	var text strings.Builder
	err = decode(&text, body)
	a.Text = text.String()
	return err
}

// parseParts parses the parts between the delimiters (RFC 2046 section 5.1.1).
func (a *arrived) parseParts(body, delimiter []byte) error {
	_, body, _ = bytes.Cut(body, delimiter)
	for {
		if bytes.HasPrefix(body, []byte("--")) {
			return nil
		}
		_, body, _ = bytes.Cut(body, []byte("\r\n"))
		part, rest, found := bytes.Cut(body, append([]byte("\r\n"), delimiter...))
		if !found {
			return errors.New("a part does not end")
		}
		if err := a.parseEntity(part, false); err != nil {
			return err
		}
		body = rest
	}
}

func decoder(encoding string) func(w io.Writer, body []byte) error {
	switch strings.ToLower(encoding) {
	case "base64":
		return decodeBase64
	case "quoted-printable":
		return func(w io.Writer, body []byte) error {
			_, err := io.Copy(w, quotedprintable.NewReader(bytes.NewReader(body)))
			return err
		}
	}
	return func(w io.Writer, body []byte) error {
		_, err := w.Write(body)
		return err
	}
}

// decodeBase64 is several times as fast as the decoder of encoding/base64,
// which searches for line ends octet by octet: a gigabyte is checked for each
// figure.
func decodeBase64(w io.Writer, body []byte) error {
	const size = 64 << 10 // of four characters each
	letters, octets := make([]byte, 0, size), make([]byte, size)
	decode := func() error {
		n, err := base64.StdEncoding.Decode(octets, letters)
		if err != nil {
			return err
		}
		letters = letters[:0]
		_, err = w.Write(octets[:n])
		return err
	}
	for len(body) > 0 {
		line, rest, _ := bytes.Cut(body, []byte("\n"))
		line, body = bytes.TrimSuffix(line, []byte("\r")), rest
		for len(line) > 0 {
			n := min(len(line), cap(letters)-len(letters))
			letters, line = append(letters, line[:n]...), line[n:]
			if len(letters) == cap(letters) {
				if err := decode(); err != nil {
					return err
				}
			}
		}
	}
	return decode()
}

// normalizeLines returns a text with uniform line ends and none at its end.
func normalizeLines(text string) string {
	return strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
}

func fileSum(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return nil, err
	}
	return sum.Sum(nil), nil
}
