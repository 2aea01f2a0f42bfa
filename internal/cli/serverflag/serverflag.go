// Package serverflag implements --server and related flags: registration, checks, the selected
// server, the client's options, and the secret of a login without an account.
package serverflag

import (
	"sync"

	"github.com/yanmail/yan/internal/cli/verdict"
)

// Servers resolves servers and the secrets for them.
type Servers struct {
	*verdict.Reporter
	// WarnedProxy makes the warning about an unused proxy of the environment
	// appear once.
	WarnedProxy *sync.Once
}
