package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"strings"
)

// checkArrived compares what the sink took with what was to be sent: every
// message once, to as many recipients, and whole. The subjects of sent must
// differ.
func checkArrived(arrived []taken, sent []mail) error {
	if len(arrived) != len(sent) {
		return fmt.Errorf("%d messages arrived, %d were sent", len(arrived), len(sent))
	}
	expected := make(map[string]mail, len(sent))
	for _, m := range sent {
		expected[m.subject] = m
	}
	for _, a := range arrived {
		parsed, err := netmail.ReadMessage(bytes.NewReader(a.data))
		if err != nil {
			return fmt.Errorf("an unreadable message arrived: %w", err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
		if err != nil {
			return fmt.Errorf("an unreadable subject arrived: %w", err)
		}
		m, ok := expected[subject]
		if !ok {
			return fmt.Errorf("a message arrived that was not sent, or twice: %q", subject)
		}
		delete(expected, subject)
		if a.recipients != len(m.to) {
			return fmt.Errorf("%q arrived for %d recipients, not %d", subject, a.recipients, len(m.to))
		}
		if err := checkBody(parsed, m); err != nil {
			return fmt.Errorf("%q: %w", subject, err)
		}
	}
	return nil
}

// found is what was in a message.
type found struct {
	text       string
	attachment []byte // SHA-256; nil when there was none
}

func checkBody(parsed *netmail.Message, m mail) error {
	var f found
	if err := f.walk(headerMap(parsed.Header), parsed.Body); err != nil {
		return fmt.Errorf("unreadable: %w", err)
	}
	if lines(f.text) != lines(m.text) {
		return fmt.Errorf("the text arrived changed: %d octets instead of %d", len(f.text), len(m.text))
	}
	if m.attachment == "" {
		return nil
	}
	want, err := fileSum(m.attachment)
	if err != nil {
		return err
	}
	if !bytes.Equal(f.attachment, want) {
		return errors.New("the attachment did not arrive, or not whole")
	}
	return nil
}

// headerMap gives both kinds of header one shape.
type headerMap map[string][]string

func (h headerMap) get(name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

func (f *found) walk(header headerMap, body io.Reader) error {
	mediaType, parameters, err := mime.ParseMediaType(header.get("Content-Type"))
	if err != nil {
		return err
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		parts := multipart.NewReader(body, parameters["boundary"])
		for {
			// Raw: the encoding is for the lines below to undo.
			part, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := f.walk(headerMap(part.Header), part); err != nil {
				return err
			}
		}
	}
	switch strings.ToLower(header.get("Content-Transfer-Encoding")) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	if disposition := header.get("Content-Disposition"); strings.HasPrefix(disposition, "attachment") {
		sum := sha256.New()
		_, err := io.Copy(sum, body)
		f.attachment = sum.Sum(nil)
		return err
	}
	text, err := io.ReadAll(body)
	f.text = string(text)
	return err
}

// lines is a text with one kind of line end and none at its end.
func lines(text string) string {
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
