// Package serverflag has --server and its related flags: their registration and
// checks, the server that they select, the options of the client, and the
// secret of a login without an account.
package serverflag

import (
	"sync"

	"github.com/yanmail/yan/internal/cli/verdict"
)

// Servers resolves servers and the secrets for them.
type Servers struct {
	*verdict.Reporter
	// ToldProxy makes the warning about an unused proxy of the environment
	// appear once.
	ToldProxy *sync.Once
}
