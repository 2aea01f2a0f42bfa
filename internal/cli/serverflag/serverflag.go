// Package serverflag is --server and the flags beside it: their registration and
// checks, the server that they name, the options of the client, and the secret of a
// login without an account.
package serverflag

import (
	"sync"

	"github.com/yanmail/yan/internal/cli/verdict"
)

// Servers finds servers and what logs in to them.
type Servers struct {
	*verdict.Reporter
	// ToldProxy: it was said that a proxy of the environment is not used.
	ToldProxy *sync.Once
}
