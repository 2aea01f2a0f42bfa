//go:build interop && linux

package interop

import (
	"os"
	"path/filepath"
	"strings"
)

// ledger lists the messages that a server has: the text of each message in the
// directory that the server writes.
type ledger func(dir string) ([]string, error)

// files returns the ledger of a server that writes each message to one file. A
// file being written ends with ".tmp".
func files(pattern string) ledger {
	return func(dir string) ([]string, error) {
		return texts(dir, pattern, func(file string) bool { return !strings.HasSuffix(file, ".tmp") })
	}
}

func maildir(box string) ledger { return files(filepath.Join(box, "new", "*")) }

// eximQueue lists the messages that have both files: 1xY-D with the body, 1xY-H
// with the envelope, which is created last.
func eximQueue(dir string) ([]string, error) {
	return texts(dir, "spool/input/*-D", func(file string) bool { return exists(strings.TrimSuffix(file, "D") + "H") })
}

// sendmailQueue lists the messages that have both files: dfX with the body, qfX
// with the envelope, which is tfX until the message is accepted.
func sendmailQueue(dir string) ([]string, error) {
	return texts(dir, "queue/df*", func(file string) bool {
		folder, name := filepath.Split(file)
		return exists(filepath.Join(folder, "q"+strings.TrimPrefix(name, "d")))
	})
}

// courierQueue lists the messages that have both files: D1 with the message, C1
// with the envelope, which is created last. Without its daemon they stay in
// tmp.
func courierQueue(dir string) ([]string, error) {
	return texts(dir, "courier/tmp/*/D*", func(file string) bool {
		folder, name := filepath.Split(file)
		return exists(filepath.Join(folder, "C"+strings.TrimPrefix(name, "D")))
	})
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func texts(dir, pattern string, counts func(file string) bool) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, file := range found {
		if !counts(file) {
			continue
		}
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // renamed meanwhile
		}
		if err != nil {
			return nil, err
		}
		all = append(all, strings.ReplaceAll(string(text), "\r\n", "\n"))
	}
	return all, nil
}
