package tokens

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"
)

// LiveTokens is a file of tokens that is read again after each change of the file. It is safe for
// concurrent use.
type LiveTokens struct {
	path   string
	failed func(error)

	mu    sync.Mutex
	known *TokenFile
	at    fs.FileInfo // of the file that was read; nil if there was none
	young bool        // the file was read so soon after it was written that a later write may have the same time
	wrong string      // the last error that was reported
}

// Open reads a file of tokens. failed is called if a later version of the file can't be used; the
// previous one stays in use.
func Open(ctx context.Context, path string, failed func(error)) (*LiveTokens, error) {
	l := &LiveTokens{path: path, failed: failed}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l, l.readAgain(ctx)
}

// Check returns the token of a login.
func (l *LiveTokens) Check(ctx context.Context, name, secret string) (ProgramToken, bool) {
	return l.Current(ctx).Check(name, secret)
}

// Current returns the tokens as the file has them now.
func (l *LiveTokens) Current(ctx context.Context) *TokenFile {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.readAgain(ctx); err == nil {
		l.wrong = ""
	} else if text := err.Error(); text != l.wrong { // once for each fault, not for each login
		l.wrong = text
		l.failed(err)
	}
	return l.known
}

// Reload is Current for a caller that reports the error itself.
func (l *LiveTokens) Reload(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.readAgain(ctx)
}

// readAgain reads the file if it is another than the one that was read.
func (l *LiveTokens) readAgain(ctx context.Context) error {
	now, err := os.Stat(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.known, l.at = &TokenFile{}, nil
		return nil
	case err != nil:
		return &FileError{Path: l.path, Err: err}
	case l.known != nil && l.at != nil && !l.young && isSameFile(l.at, now):
		return nil
	}
	l.young = time.Since(now.ModTime()) < clockTick
	f, err := Load(ctx, l.path)
	if err != nil {
		return err
	}
	l.known, l.at = f, now
	return nil
}

// clockTick is longer than the interval at which file systems see the clock.
const clockTick = 100 * time.Millisecond

// isSameFile reports whether a file was neither replaced nor changed.
func isSameFile(before, now fs.FileInfo) bool {
	return os.SameFile(before, now) && before.ModTime().Equal(now.ModTime()) && before.Size() == now.Size()
}
