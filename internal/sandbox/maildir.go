package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// maildir delivers into one Maildir for each recipient, below root. Lines end
// with LF there, as mail readers expect; [Server.Messages] returns the octets
// of the wire.
type maildir struct {
	root  string
	count atomic.Int64
}

// deliver writes into tmp and renames into new, so that a reader never sees
// half a message. Names have no ":2," part: a message in new needs none, and
// Windows allows no colon.
func (d *maildir) deliver(m Message) error {
	for _, to := range m.To {
		dir := filepath.Join(d.root, fileName(to))
		for _, sub := range []string{"tmp", "new", "cur"} {
			if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
				return fmt.Errorf("make the maildir of %s: %w", to, err)
			}
		}
		name := fmt.Sprintf("%d.P%dQ%d.localhost", m.Time.Unix(), os.Getpid(), d.count.Add(1))
		var b bytes.Buffer
		fmt.Fprintf(&b, "Return-Path: <%s>\nDelivered-To: %s\n", m.From, to)
		b.Write(bytes.ReplaceAll(m.Data, []byte("\r\n"), []byte("\n")))
		tmp := filepath.Join(dir, "tmp", name)
		if err := os.WriteFile(tmp, b.Bytes(), 0o600); err != nil {
			return fmt.Errorf("write the message for %s: %w", to, err)
		}
		if err := os.Rename(tmp, filepath.Join(dir, "new", name)); err != nil {
			return fmt.Errorf("deliver the message for %s: %w", to, err)
		}
	}
	return nil
}

// fileName converts an address to a directory name: characters that Windows or
// Unix do not allow become %XX.
func fileName(address string) string {
	var b strings.Builder
	for i := 0; i < len(address); i++ {
		c := address[i]
		last := i == len(address)-1
		if c < 0x20 || c == 0x7f || strings.IndexByte(`<>:"/\|?*%`, c) >= 0 || c == '.' && (i == 0 || last) {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
