package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// writeByHand composes a message with minimal careful code, for packages
// without a composer. It streams the attachment, which most such programs
// don't.
func writeByHand(w io.Writer, m mail) error {
	const boundary = "a-boundary-of-the-benchmark"
	var head strings.Builder
	fmt.Fprintf(&head, "From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\n", m.from, strings.Join(m.to, ">,\r\n <"), mime.BEncoding.Encode("utf-8", m.subject))
	fmt.Fprintf(&head, "Date: %s\r\nMessage-ID: <%d@bench.example>\r\nMIME-Version: 1.0\r\n", time.Now().Format(time.RFC1123Z), time.Now().UnixNano())
	if m.attachment == "" {
		fmt.Fprintf(&head, "Content-Type: text/plain; charset=utf-8\r\n\r\n%s", m.text)
		_, err := io.WriteString(w, head.String())
		return err
	}
	fmt.Fprintf(&head, "Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%[1]s\r\n", boundary)
	fmt.Fprintf(&head, "Content-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n--%s\r\n", m.text, boundary)
	fmt.Fprintf(&head, "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=%s\r\n\r\n", filepath.Base(m.attachment))
	if _, err := io.WriteString(w, head.String()); err != nil {
		return err
	}
	file, err := os.Open(m.attachment)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := encodeLines(w, file); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "--%s--\r\n", boundary)
	return err
}

// encodeLines writes base64 in lines of 76 characters.
func encodeLines(w io.Writer, r io.Reader) error {
	group := make([]byte, 57)
	line := make([]byte, 78)
	for {
		n, err := io.ReadFull(r, group)
		if n > 0 {
			base64.StdEncoding.Encode(line, group[:n])
			end := base64.StdEncoding.EncodedLen(n)
			line[end], line[end+1] = '\r', '\n'
			if _, err := w.Write(line[:end+2]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
