package sqlite

import (
	"errors"
	"slices"
	"syscall"

	driven "modernc.org/sqlite"

	"github.com/yanmail/yan/internal/localerr"
)

// Result codes of SQLite (https://sqlite.org/rescode.html); the low octet is the primary code.
const (
	codePerm     = 3
	codeBusy     = 5
	codeReadOnly = 8
	codeIOErr    = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
	codeShmSize  = codeIOErr | 19<<8 // the log's index could not grow
)

var errReadOnly = localerr.New("the outbox is open read-only")

// resultCode returns SQLite's result code, 0 for other errors.
func resultCode(err error) int {
	var e interface {
		error
		Code() int
	}
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

var _ interface{ Code() int } = (*driven.Error)(nil)

// fullErrors are the system's errors for a full disk or an exhausted quota.
var fullErrors = append([]error{syscall.ENOSPC}, quotaErrors...)

// isFull reports whether the disk, or the user's quota, is full: nothing was written, and
// earlier data is unchanged.
func isFull(err error) bool {
	return resultCode(err)&0xff == codeFull || slices.ContainsFunc(fullErrors, func(full error) bool { return errors.Is(err, full) })
}

// isFault reports whether an error leaves the state of the disk unknown.
func isFault(err error) bool {
	switch resultCode(err) & 0xff {
	case codeIOErr, codeCorrupt, codeNotADB:
		return true
	}
	return errors.Is(err, syscall.EIO)
}
