package sqlite

import (
	"errors"
	"slices"
	"syscall"

	driven "modernc.org/sqlite"

	"github.com/yanmail/yan/internal/sentence"
)

// Result codes of SQLite (https://sqlite.org/rescode.html); the low octet is the
// primary one.
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

var errReadOnly = sentence.New("the outbox was opened for reading only")

// code is SQLite's, 0 for other errors.
func code(err error) int {
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

// fullErrors are those of the system for a disk, or a quota, that is used up.
var fullErrors = append([]error{syscall.ENOSPC}, quotaErrors...)

// isFull tells that the disk, or the user's part of it, is full: what was to be
// written is not, and the rest is as it was.
func isFull(err error) bool {
	return code(err)&0xff == codeFull || slices.ContainsFunc(fullErrors, func(full error) bool { return errors.Is(err, full) })
}

// isFault tells that it is open what is on the disk.
func isFault(err error) bool {
	switch code(err) & 0xff {
	case codeIOErr, codeCorrupt, codeNotADB:
		return true
	}
	return errors.Is(err, syscall.EIO)
}
